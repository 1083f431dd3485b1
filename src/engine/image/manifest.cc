#include "engine/image/manifest.h"

#include <fmt/format.h>

#include "base/text.h"
#include "engine/image/reference.h"
#include "wire/json.h"

namespace reef::image {
namespace {

using wire::Json;
constexpr std::size_t kPartsMax = 512;

Failure bad(std::string message) { return {std::move(message), EINVAL}; }

Result<Descriptor, Failure> read_descriptor(const Json& json) {
  Descriptor out{.media_type = json.text("mediaType"), .digest = json.text("digest"), .bytes = 0, .os = json["platform"].text("os"),
                 .architecture = json["platform"].text("architecture"), .name = json["annotations"].text("io.containerd.image.name")};
  if (out.name.empty()) out.name = json["annotations"].text("org.opencontainers.image.ref.name");
  if (!is_digest(out.digest)) return Err(bad(fmt::format("the digest '{}' is not sha256 with 64 lower-case hexadecimal digits", out.digest.substr(0, 100))));
  const auto bytes = json["size"].as_int();
  if (!bytes || *bytes < 0) return Err(bad(fmt::format("{} has no size", out.digest)));
  out.bytes = static_cast<std::uint64_t>(*bytes);
  return out;
}

Result<std::vector<Descriptor>, Failure> read_descriptors(const Json& list) {
  std::vector<Descriptor> out;
  if (list.size() > kPartsMax) return Err(bad(fmt::format("more than {} parts", kPartsMax)));
  for (const Json& one : list.as_array()) out.push_back(TRY(read_descriptor(one)));
  return out;
}

std::vector<std::string> texts(const Json& list) {
  std::vector<std::string> out;
  if (list.is_string()) out.push_back(list.as_string());
  for (const Json& one : list.as_array()) out.push_back(one.as_string());
  return out;
}

std::int64_t seconds(const Json& nanos, std::int64_t otherwise) {
  const auto value = nanos.as_int().value_or(0);
  return value <= 0 ? otherwise : std::max<std::int64_t>(1, value / 1'000'000'000);
}

}  // namespace

Result<Manifest, Failure> parse_manifest(std::string_view text) {
  const auto json = Json::parse(text);
  if (!json || !json->is_object()) return Err(bad("the manifest is not JSON"));
  Manifest out;
  out.media_type = json->text("mediaType");
  if (json->contains("manifests")) {
    out.manifests = TRY(read_descriptors((*json)["manifests"]));
    if (out.media_type.empty()) out.media_type = kOciIndex;
    return out;
  }
  if ((*json)["schemaVersion"].as_int() == 1) return Err(bad("manifests of schema version 1 are not supported; push the image again with a current tool"));
  if (!json->contains("config") || !json->contains("layers")) return Err(bad("the manifest has neither manifests nor config and layers"));
  out.config = TRY(read_descriptor((*json)["config"]));
  out.layers = TRY(read_descriptors((*json)["layers"]));
  if (out.media_type.empty()) out.media_type = kOciManifest;
  return out;
}

Result<ImageConfig, Failure> parse_config(std::string_view text) {
  const auto json = Json::parse(text);
  if (!json || !json->is_object()) return Err(bad("the image's configuration is not JSON"));
  ImageConfig out;
  out.os = json->text("os");
  out.architecture = json->text("architecture");
  const Json& config = (*json)["config"];
  out.entrypoint = texts(config["Entrypoint"]);
  out.command = texts(config["Cmd"]);
  out.env = texts(config["Env"]);
  out.user = config.text("User");
  out.working_folder = config.text("WorkingDir");
  out.stop_signal = config.text("StopSignal");
  for (const auto& [port, nothing] : config["ExposedPorts"].as_object()) out.exposed_ports.push_back(port);
  if (const Json* health = config.find("Healthcheck"); health && health->is_object())
    out.health_check = HealthCheck{.test = texts((*health)["Test"]), .interval_seconds = seconds((*health)["Interval"], 30),
                                   .timeout_seconds = seconds((*health)["Timeout"], 30), .retries = (*health)["Retries"].as_int().value_or(3),
                                   .start_seconds = seconds((*health)["StartPeriod"], 0)};
  for (const Json& id : (*json)["rootfs"]["diff_ids"].as_array()) {
    if (!is_digest(id.as_string())) return Err(bad("a diff_id of the image's configuration is no sha256 digest"));
    out.diff_ids.push_back(id.as_string());
  }
  return out;
}

const char* own_architecture() {
#if defined(__aarch64__)
  return "arm64";
#else
  return "amd64";
#endif
}

const Descriptor* choose_platform(const Manifest& index) {
  for (const Descriptor& one : index.manifests)
    if (one.os == "linux" && one.architecture == own_architecture()) return &one;
  for (const Descriptor& one : index.manifests)
    if (one.os.empty() && one.architecture.empty()) return &one;
  return nullptr;
}

Result<User, Failure> find_user(std::string_view wanted, std::string_view passwd, std::string_view group) {
  const auto colon = wanted.find(':');
  const std::string_view name = wanted.substr(0, colon), group_name = colon == std::string_view::npos ? std::string_view() : wanted.substr(colon + 1);
  const auto number = name.empty() ? std::optional<std::uint32_t>(0) : parse_int<std::uint32_t>(name);
  User out;
  bool found = false;
  for (const std::string_view line : split(passwd, '\n')) {
    const auto fields = split(line, ':');
    if (fields.size() < 6) continue;
    const auto uid = parse_int<std::uint32_t>(fields[2]), gid = parse_int<std::uint32_t>(fields[3]);
    if (!uid || !gid || !(number ? *uid == *number : fields[0] == name)) continue;
    out = {.uid = *uid, .gid = *gid, .name = std::string(fields[0]), .home = std::string(fields[5])};
    found = true;
    break;
  }
  if (!found) {
    if (!number) return Err(bad(fmt::format("unable to find user {}: no matching entries in passwd file", name)));
    out = {.uid = *number, .gid = 0, .name = *number == 0 ? "root" : "", .home = *number == 0 ? "/root" : "/"};
  }
  if (group_name.empty()) return out;
  if (const auto gid = parse_int<std::uint32_t>(group_name)) {
    out.gid = *gid;
    return out;
  }
  for (const std::string_view line : split(group, '\n')) {
    const auto fields = split(line, ':');
    if (fields.size() < 3 || fields[0] != group_name) continue;
    if (const auto gid = parse_int<std::uint32_t>(fields[2])) {
      out.gid = *gid;
      return out;
    }
  }
  return Err(bad(fmt::format("unable to find group {}: no matching entries in group file", group_name)));
}

}  // namespace reef::image
