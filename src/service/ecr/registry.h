// The registry that images are pushed to and pulled from: OCI's distribution protocol below /v2/.
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "base/guarded.h"
#include "base/task.h"
#include "http/message.h"
#include "service/ecr/ecr.h"

namespace reef::service::ecr {

// What a path below /v2/ means.
struct RegistryPath {
  enum class Kind { kRoot, kCatalog, kTags, kManifest, kBlob, kUploads, kUpload };
  Kind kind;
  std::string repository, reference;  // tag, digest or number of the upload
};
// Nothing for paths that the protocol does not have. Pure.
std::optional<RegistryPath> parse_registry_path(std::string_view path);

// The account and region that "000000000000.dkr.ecr.us-east-1.…" names; nothing for other hosts, where every repository
// is there as soon as something is pushed to it.
struct RegistryOwner {
  std::string account, region;
};
std::optional<RegistryOwner> registry_owner(std::string_view host);

class Registry {
 public:
  explicit Registry(Ecr& ecr) : ecr_(ecr) {}
  static bool wants(const http::Request& request);
  // On any loop.
  Task<http::Response> serve(http::Request& request);

 private:
  using Upload = std::shared_ptr<image::BlobFolder::Writer>;
  Task<http::Response> serve_uploads(http::Request& request, RegistryPath path);
  Task<http::Response> serve_upload(http::Request& request, RegistryPath path);
  Task<http::Response> serve_blob(http::Request& request, RegistryPath path);
  Task<http::Response> serve_manifest(http::Request& request, RegistryPath path);
  http::Response put_manifest(const RegistryPath& path, const std::string& bytes, const std::optional<RegistryOwner>& owner);
  http::Response get_manifest(const RegistryPath& path);
  http::Response remove_manifest(const RegistryPath& path);
  http::Response list(const RegistryPath& path, std::string query);
  // The error that says so when the host's account has no such repository.
  Task<std::optional<http::Response>> check_repository(const http::Request& request, std::string repository);
  Upload take(const std::string& number);

  Ecr& ecr_;
  Guarded<std::map<std::string, Upload, std::less<>>> uploads_;  // those that nobody writes to right now
};

}  // namespace reef::service::ecr
