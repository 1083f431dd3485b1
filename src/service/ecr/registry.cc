#include "service/ecr/registry.h"

#include <sys/stat.h>

#include <algorithm>

#include <fmt/format.h>

#include "base/digest.h"
#include "base/encoding.h"
#include "base/random.h"
#include "base/text.h"
#include "engine/store/shard.h"

namespace reef::service::ecr {
namespace {

using wire::Json;
constexpr std::uint64_t kBlobBytesMax = 16ull << 30;
constexpr std::size_t kUploadsMax = 256;

http::Response reply(int status) {
  http::Response out;
  out.status = status;
  out.set("docker-distribution-api-version", "registry/2.0");
  return out;
}

http::Response refusal(int status, std::string_view code, std::string message) {
  http::Response out = reply(status);
  out.set("content-type", "application/json");
  out.body = Json::object({{"errors", Json::array({Json::object({{"code", code}, {"message", std::move(message)}})})}}).dump();
  return out;
}

std::string query_value(std::string_view query, std::string_view name) {
  for (const std::string_view pair : split(query, '&'))
    if (pair.starts_with(name) && pair.size() > name.size() && pair[name.size()] == '=') return percent_decode(pair.substr(name.size() + 1), true);
  return {};
}

http::Response name_unknown(std::string_view repository, const std::optional<RegistryOwner>& owner) {
  return refusal(404, "NAME_UNKNOWN", fmt::format("The repository with name '{}' does not exist in the registry with id '{}'", repository, owner ? owner->account : "000000000000"));
}

http::Response upload_reply(int status, const RegistryPath& path, const std::string& number, std::uint64_t bytes) {
  http::Response out = reply(status);
  out.set("location", fmt::format("/v2/{}/blobs/uploads/{}", path.repository, number));
  out.set("range", fmt::format("0-{}", bytes == 0 ? 0 : bytes - 1));
  out.set("docker-upload-uuid", number);
  return out;
}

http::Response created(const RegistryPath& path, std::string_view kind, const std::string& digest) {
  http::Response out = reply(201);
  out.set("location", fmt::format("/v2/{}/{}/{}", path.repository, kind, digest));
  out.set("docker-content-digest", digest);
  return out;
}

}  // namespace

std::optional<RegistryPath> parse_registry_path(std::string_view path) {
  using Kind = RegistryPath::Kind;
  if (path == "/v2" || path == "/v2/") return RegistryPath{Kind::kRoot, {}, {}};
  if (!path.starts_with("/v2/")) return std::nullopt;
  path.remove_prefix(4);
  if (path == "_catalog") return RegistryPath{Kind::kCatalog, {}, {}};
  RegistryPath out{Kind::kTags, {}, {}};
  if (path.ends_with("/tags/list")) {
    out.repository = path.substr(0, path.size() - 10);
  } else if (const auto at = path.rfind("/blobs/uploads"); at != std::string_view::npos) {
    out.repository = path.substr(0, at);
    std::string_view rest = path.substr(at + 14);
    if (rest.starts_with('/')) rest.remove_prefix(1);
    out.kind = rest.empty() ? Kind::kUploads : Kind::kUpload;
    out.reference = rest;
  } else if (const auto blob = path.rfind("/blobs/"); blob != std::string_view::npos) {
    out.kind = Kind::kBlob;
    out.repository = path.substr(0, blob);
    out.reference = path.substr(blob + 7);
    if (!image::is_digest(out.reference)) return std::nullopt;
  } else if (const auto manifest = path.rfind("/manifests/"); manifest != std::string_view::npos) {
    out.kind = Kind::kManifest;
    out.repository = path.substr(0, manifest);
    out.reference = path.substr(manifest + 11);
    if (!image::is_digest(out.reference) && !image::is_tag(out.reference)) return std::nullopt;
  } else {
    return std::nullopt;
  }
  if (!image::is_repository(out.repository)) return std::nullopt;
  return out;
}

std::optional<RegistryOwner> registry_owner(std::string_view host) {
  const auto parts = split(host.substr(0, host.find(':')), '.');
  if (parts.size() < 5 || parts[1] != "dkr" || parts[2] != "ecr" || parts[0].size() != 12) return std::nullopt;
  return RegistryOwner{std::string(parts[0]), std::string(parts[3])};
}

bool Registry::wants(const http::Request& request) {
  // API Gateway's own API lives below /v2/ too; its calls are signed.
  return request.path.starts_with("/v2") && !request.header("authorization").starts_with("AWS4-") && parse_registry_path(percent_decode(request.path)).has_value();
}

Task<http::Response> Registry::serve(http::Request& request) {
  const RegistryPath path = *parse_registry_path(percent_decode(request.path));
  switch (path.kind) {
    case RegistryPath::Kind::kRoot: co_return reply(200);
    case RegistryPath::Kind::kCatalog:
    case RegistryPath::Kind::kTags:
      co_return co_await store::on(store::Shard::control(), [&]() -> Task<http::Response> { co_return list(path, std::string(request.query)); });
    case RegistryPath::Kind::kManifest: co_return co_await serve_manifest(request, path);
    case RegistryPath::Kind::kBlob: co_return co_await serve_blob(request, path);
    case RegistryPath::Kind::kUploads: co_return co_await serve_uploads(request, path);
    case RegistryPath::Kind::kUpload: co_return co_await serve_upload(request, path);
  }
  co_return reply(404);
}

Task<std::optional<http::Response>> Registry::check_repository(const http::Request& request, std::string repository) {
  const auto owner = registry_owner(request.host);
  if (!owner) co_return std::nullopt;
  co_return co_await store::on(store::Shard::control(), [&]() -> Task<std::optional<http::Response>> {
    Call call;
    call.account = owner->account;
    call.region = owner->region;
    if (existing(ecr_, call, std::nullopt, repository)) co_return std::nullopt;
    co_return name_unknown(repository, owner);
  });
}

// The writer of an upload, which nobody else has until it is put back; nullptr when there is none.
Registry::Upload Registry::take(const std::string& number) {
  return uploads_.write([&](auto& all) -> Upload {
    const auto found = all.find(number);
    if (found == all.end()) return nullptr;
    Upload out = std::move(found->second);
    all.erase(found);
    return out;
  });
}

Task<http::Response> Registry::serve_uploads(http::Request& request, RegistryPath path) {
  if (request.method != "POST") co_return refusal(405, "UNSUPPORTED", "The operation is unsupported.");
  if (auto missing = co_await check_repository(request, path.repository)) co_return *std::move(missing);
  const std::string mount = query_value(request.query, "mount"), digest = query_value(request.query, "digest");
  if (!mount.empty() && ecr_.images.blobs().has(mount)) co_return created(path, "blobs", mount);
  auto writer = image::BlobFolder::Writer::start(ecr_.images.blobs());
  if (!writer) co_return refusal(500, "UNKNOWN", writer.error().message);
  const std::string number = make_uuid(thread_random());
  const bool kept = uploads_.write([&](auto& all) {
    if (all.size() >= kUploadsMax) return false;
    all.emplace(number, std::make_shared<image::BlobFolder::Writer>(*std::move(writer)));
    return true;
  });
  if (!kept) co_return refusal(429, "TOOMANYREQUESTS", "too many uploads are under way");
  if (!digest.empty()) {
    path.reference = number;
    co_return co_await serve_upload(request, path);
  }
  co_return upload_reply(202, path, number, 0);
}

Task<http::Response> Registry::serve_upload(http::Request& request, RegistryPath path) {
  const std::string& number = path.reference;
  const Upload upload = take(number);
  if (!upload) co_return refusal(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
  const auto put_back = [&] { uploads_.write([&](auto& all) { all.emplace(number, upload); }); };
  if (request.method == "DELETE") co_return reply(204);
  if (request.method == "GET") {
    put_back();
    co_return upload_reply(204, path, number, upload->bytes());
  }
  const std::string digest = query_value(request.query, "digest");
  if (request.method != "PATCH" && request.method != "PUT" && request.method != "POST") {
    put_back();
    co_return refusal(405, "UNSUPPORTED", "The operation is unsupported.");
  }
  // "0-99": pieces come in order.
  if (const std::string_view range = request.header("content-range"); !range.empty() && parse_int<std::uint64_t>(range.substr(0, range.find('-'))) != upload->bytes()) {
    put_back();
    http::Response out = upload_reply(416, path, number, upload->bytes());
    co_return out;
  }
  for (;;) {
    const auto piece = co_await request.body->read();
    if (!piece) co_return refusal(400, "BLOB_UPLOAD_INVALID", "the upload broke off: " + piece.error().message);
    if (piece->empty()) break;
    if (upload->bytes() + piece->size() > kBlobBytesMax) co_return refusal(413, "SIZE_INVALID", "the blob is too large");
    if (const auto written = upload->write(*piece); !written) co_return refusal(500, "UNKNOWN", written.error().message);
  }
  if (request.method == "PATCH") {
    put_back();
    co_return upload_reply(202, path, number, upload->bytes());
  }
  if (!image::is_digest(digest)) co_return refusal(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
  const auto kept = upload->finish(digest);
  if (!kept) co_return refusal(400, "DIGEST_INVALID", "provided digest did not match uploaded content: " + kept.error().message);
  co_return created(path, "blobs", digest);
}

Task<http::Response> Registry::serve_blob(http::Request& request, RegistryPath path) {
  if (request.method != "GET" && request.method != "HEAD") co_return refusal(405, "UNSUPPORTED", "The operation is unsupported.");
  const auto bytes = ecr_.images.blobs().size(path.reference);
  if (!bytes) co_return refusal(404, "BLOB_UNKNOWN", "blob unknown to registry");
  http::Response out = reply(200);
  out.set("docker-content-digest", path.reference);
  out.set("content-type", "application/octet-stream");
  if (request.method == "HEAD") {
    out.set("content-length", std::to_string(*bytes));
    co_return out;
  }
  auto body = http::make_file_body(ecr_.images.blobs().path(path.reference), 0, *bytes);
  if (!body) co_return refusal(404, "BLOB_UNKNOWN", "blob unknown to registry");
  out.stream = *std::move(body);
  co_return out;
}

Task<http::Response> Registry::serve_manifest(http::Request& request, RegistryPath path) {
  std::string bytes;
  if (request.method == "PUT") {
    if (auto missing = co_await check_repository(request, path.repository)) co_return *std::move(missing);
    auto body = co_await http::read_all(*request.body, image::kDocumentBytesMax);
    if (!body) co_return refusal(413, "MANIFEST_INVALID", "the manifest is too large or broke off");
    bytes = *std::move(body);
  }
  const bool is_head = request.method == "HEAD";
  const std::string method = request.method;
  http::Response out = co_await store::on(store::Shard::control(), [&]() -> Task<http::Response> {
    if (method == "PUT") {
      http::Response made = put_manifest(path, bytes, registry_owner(request.host));
      co_await store::Shard::control().committed();
      co_return made;
    }
    if (method == "DELETE") {
      http::Response gone = remove_manifest(path);
      co_await store::Shard::control().committed();
      co_return gone;
    }
    if (method != "GET" && method != "HEAD") co_return refusal(405, "UNSUPPORTED", "The operation is unsupported.");
    co_return get_manifest(path);
  });
  if (is_head && out.status == 200) {
    out.set("content-length", std::to_string(out.body.size()));
    out.body.clear();
  }
  co_return out;
}

http::Response Registry::put_manifest(const RegistryPath& path, const std::string& bytes, const std::optional<RegistryOwner>& owner) {
  const auto manifest = image::parse_manifest(bytes);
  if (!manifest) return refusal(400, "MANIFEST_INVALID", manifest.error().message);
  std::vector<std::string> needed;
  if (!manifest->is_index()) needed.push_back(manifest->config.digest);
  for (const auto& layer : manifest->layers) needed.push_back(layer.digest);
  for (const auto& one : manifest->manifests) needed.push_back(one.digest);
  for (const std::string& digest : needed)
    if (!ecr_.images.blobs().has(digest)) return refusal(404, manifest->is_index() ? "MANIFEST_UNKNOWN" : "BLOB_UNKNOWN", fmt::format("{} is not in the registry", digest));
  const std::string digest = "sha256:" + sha256_hex(bytes);
  const bool by_digest = image::is_digest(path.reference);
  if (by_digest && path.reference != digest) return refusal(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
  if (!by_digest && owner) {
    Call call;
    call.account = owner->account;
    call.region = owner->region;
    const auto repository = existing(ecr_, call, std::nullopt, path.repository);
    const image::Repository* images = ecr_.images.find_repository(path.repository);
    if (repository && repository->repository.image_tag_mutability == "IMMUTABLE" && images && images->tags.contains(path.reference) && images->tags.find(path.reference)->second != digest)
      return refusal(400, "TAG_INVALID", fmt::format("The image tag '{}' already exists in the '{}' repository and cannot be overwritten because the tag is immutable.", path.reference, path.repository));
  }
  if (const auto kept = ecr_.images.blobs().put(digest, bytes); !kept) return refusal(500, "UNKNOWN", kept.error().message);
  const image::Reference reference{.repository = path.repository, .tag = by_digest ? "" : path.reference, .digest = by_digest ? digest : ""};
  if (const auto added = ecr_.images.add(reference, digest); !added) return refusal(400, "MANIFEST_INVALID", added.error().message);
  if (owner) tell(ecr_, owner->account, owner->region, path.repository, digest, by_digest ? "" : path.reference, "PUSH");
  return created(path, "manifests", digest);
}

http::Response Registry::get_manifest(const RegistryPath& path) {
  const bool by_digest = image::is_digest(path.reference);
  const image::StoredImage* found = ecr_.images.find({.repository = path.repository, .tag = by_digest ? "" : path.reference, .digest = by_digest ? path.reference : ""});
  // The parts of an index are reached by their digests only.
  const std::string digest = found ? found->digest : by_digest && ecr_.images.find_repository(path.repository) ? path.reference : "";
  const auto bytes = digest.empty() ? Result<std::string, Failure>(Err(Failure{})) : ecr_.images.blobs().read(digest);
  const auto manifest = bytes ? image::parse_manifest(*bytes) : Result<image::Manifest, Failure>(Err(Failure{}));
  if (!manifest) return refusal(404, "MANIFEST_UNKNOWN", fmt::format("Requested image not found: {}:{}", path.repository, path.reference));
  http::Response out = reply(200);
  out.set("content-type", manifest->media_type);
  out.set("docker-content-digest", digest);
  out.body = *bytes;
  return out;
}

http::Response Registry::remove_manifest(const RegistryPath& path) {
  const bool by_digest = image::is_digest(path.reference);
  if (!ecr_.images.remove({.repository = path.repository, .tag = by_digest ? "" : path.reference, .digest = by_digest ? path.reference : ""}))
    return refusal(404, "MANIFEST_UNKNOWN", fmt::format("Requested image not found: {}:{}", path.repository, path.reference));
  return reply(202);
}

http::Response Registry::list(const RegistryPath& path, std::string query) {
  const auto limit = parse_int<std::size_t>(query_value(query, "n")).value_or(1000);
  const std::string last = query_value(query, "last");
  Json names = Json::array();
  bool more = false;
  const auto add = [&](const std::string& name) {
    if (name <= last) return;
    if (names.size() < limit) names.push_back(name);
    else more = true;
  };
  Json body = Json::object();
  if (path.kind == RegistryPath::Kind::kCatalog) {
    for (const auto& [name, repository] : ecr_.images.all()) add(name);
    body.set("repositories", names);
  } else {
    const image::Repository* repository = ecr_.images.find_repository(path.repository);
    if (!repository) return name_unknown(path.repository, std::nullopt);
    for (const auto& [tag, digest] : repository->tags) add(tag);
    body.set("name", path.repository);
    body.set("tags", names);
  }
  http::Response out = reply(200);
  out.set("content-type", "application/json");
  if (more && names.size() > 0) {
    const std::string base = path.kind == RegistryPath::Kind::kCatalog ? "/v2/_catalog" : "/v2/" + path.repository + "/tags/list";
    out.set("link", fmt::format("<{}?n={}&last={}>; rel=\"next\"", base, limit, percent_encode(names.at(names.size() - 1).as_string())));
  }
  out.body = body.dump();
  return out;
}

}  // namespace reef::service::ecr
