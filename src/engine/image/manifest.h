// The documents that describe an image, in OCI's and in Docker's words: index, manifest, configuration.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace reef::image {

inline constexpr const char* kOciIndex = "application/vnd.oci.image.index.v1+json";
inline constexpr const char* kOciManifest = "application/vnd.oci.image.manifest.v1+json";
inline constexpr const char* kDockerIndex = "application/vnd.docker.distribution.manifest.list.v2+json";
inline constexpr const char* kDockerManifest = "application/vnd.docker.distribution.manifest.v2+json";

struct Descriptor {
  std::string media_type, digest;
  std::uint64_t bytes = 0;
  std::string os, architecture;  // of an index's entries; empty when not said
  std::string name;              // annotation: a reference, or only its tag
};

struct Manifest {
  std::string media_type;
  // One of both: an index names manifests, a manifest names its parts.
  std::vector<Descriptor> manifests;
  Descriptor config;
  std::vector<Descriptor> layers;
  bool is_index() const { return config.digest.empty(); }
};

struct HealthCheck {
  std::vector<std::string> test;  // ["CMD", ...], ["CMD-SHELL", text], ["NONE"]
  std::int64_t interval_seconds = 30, timeout_seconds = 30, retries = 3, start_seconds = 0;
};

struct ImageConfig {
  std::string os, architecture;
  std::vector<std::string> entrypoint, command, env;
  std::string user, working_folder, stop_signal;
  std::vector<std::string> diff_ids;  // of the layers, uncompressed, lowest first
  std::vector<std::string> exposed_ports;  // "8080/tcp"
  std::optional<HealthCheck> health_check;
};

// What is missing or wrong is said by name in the failure.
Result<Manifest, Failure> parse_manifest(std::string_view json);
Result<ImageConfig, Failure> parse_config(std::string_view json);

// The manifest of an index for this machine's platform; nothing when there is none.
const Descriptor* choose_platform(const Manifest& index);
// "amd64" or "arm64": what this program was built for.
const char* own_architecture();

struct User {
  std::uint32_t uid = 0, gid = 0;
  std::string name, home;
};
// "", "app", "1000", "app:staff", "1000:1000" looked up in the image's own /etc/passwd and /etc/group.
Result<User, Failure> find_user(std::string_view wanted, std::string_view passwd, std::string_view group);

}  // namespace reef::image
