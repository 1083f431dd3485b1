#include "engine/image/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <memory>

#include "base/digest.h"
#include "base/encoding.h"
#include "base/text.h"
#include "engine/image/manifest.h"
#include "engine/image/reference.h"
#include "wire/json.h"

namespace reef::image {
namespace {

using wire::Json;
constexpr std::size_t kEntriesMax = 20'000, kBufferBytes = 256 * 1024, kIndexDepthMax = 4;

Failure bad(std::string message) { return {std::move(message), EINVAL}; }

// "a/b" for "./a/b".
std::string plain_name(std::string_view name) {
  std::vector<std::string> parts;
  for (const std::string_view part : split(name, '/')) {
    if (part == ".." && !parts.empty()) parts.pop_back();
    else if (!part.empty() && part != "." && part != "..") parts.emplace_back(part);
  }
  return join(parts, "/");
}

// Where the parts of images come from.
class Source {
 public:
  virtual ~Source() = default;
  // A file by its name in the layout; nothing when there is none.
  virtual Result<std::string, Failure> text(const std::string& name) = 0;
  // Brings a part among the blobs.
  virtual Result<void, Failure> fetch(const std::string& digest) = 0;
  // The digest of a file, which is among the blobs then.
  virtual Result<std::string, Failure> fetch_named(const std::string& name) = 0;
};

Result<std::string, Failure> copy_file(const std::string& path, const BlobFolder& blobs, std::string_view expected) {
  const io::Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return Err(io::last_error(path));
  auto writer = TRY(BlobFolder::Writer::start(blobs));
  const auto buffer = std::make_unique_for_overwrite<char[]>(kBufferBytes);
  for (;;) {
    const ssize_t size = ::read(file.get(), buffer.get(), kBufferBytes);
    if (size < 0) return Err(io::last_error(path));
    if (size == 0) break;
    TRY(writer.write({buffer.get(), static_cast<std::size_t>(size)}));
  }
  return writer.finish(expected);
}

class Folder final : public Source {
 public:
  Folder(std::string path, const BlobFolder& blobs) : path_(std::move(path)), blobs_(blobs) {}
  Result<std::string, Failure> text(const std::string& name) override {
    const io::Fd file(::open((path_ + "/" + name).c_str(), O_RDONLY | O_CLOEXEC));
    struct stat info{};
    if (!file || ::fstat(file.get(), &info) < 0) return Err(io::last_error(name));
    if (info.st_size > static_cast<off_t>(kDocumentBytesMax)) return Err(bad(name + " is too large"));
    std::string out(static_cast<std::size_t>(info.st_size), '\0');
    if (::read(file.get(), out.data(), out.size()) != static_cast<ssize_t>(out.size())) return Err(io::last_error(name));
    return out;
  }
  Result<void, Failure> fetch(const std::string& digest) override {
    if (blobs_.has(digest)) return {};
    TRY(copy_file(fmt::format("{}/blobs/sha256/{}", path_, digest.substr(7)), blobs_, digest));
    return {};
  }
  Result<std::string, Failure> fetch_named(const std::string& name) override { return copy_file(path_ + "/" + plain_name(name), blobs_, {}); }

 private:
  std::string path_;
  const BlobFolder& blobs_;
};

// A tar, plain or compressed. Everything in it is hashed into the blobs while it is read; what no image refers to is
// removed by the next collection.
class Tar final : public Source {
 public:
  explicit Tar(const BlobFolder& blobs) : blobs_(blobs) {}
  Result<void, Failure> read(const std::string& path) {
    const std::unique_ptr<archive, int (*)(archive*)> in(::archive_read_new(), ::archive_read_free);
    ::archive_read_support_filter_all(in.get());
    ::archive_read_support_format_tar(in.get());
    const auto reason = [&] { return ::archive_error_string(in.get()) ? ::archive_error_string(in.get()) : "damaged"; };
    if (::archive_read_open_filename(in.get(), path.c_str(), kBufferBytes) != ARCHIVE_OK) return Err(bad(fmt::format("{}: {}", path, reason())));
    const auto buffer = std::make_unique_for_overwrite<char[]>(kBufferBytes);
    archive_entry* entry = nullptr;
    int status = ARCHIVE_OK;
    while ((status = ::archive_read_next_header(in.get(), &entry)) == ARCHIVE_OK || status == ARCHIVE_WARN) {
      const char* raw = ::archive_entry_pathname(entry);
      if (!raw || digests_.size() + links_.size() > kEntriesMax) return Err(bad("too many files for an image archive, or one without a name"));
      const std::string name = plain_name(raw);
      if (const char* target = ::archive_entry_hardlink(entry)) {
        links_[name] = plain_name(target);
      } else if (::archive_entry_filetype(entry) == AE_IFLNK && ::archive_entry_symlink(entry)) {
        const auto slash = name.rfind('/');
        links_[name] = plain_name((slash == std::string::npos ? std::string() : name.substr(0, slash + 1)) + ::archive_entry_symlink(entry));
      } else if (::archive_entry_filetype(entry) == AE_IFREG) {
        auto writer = TRY(BlobFolder::Writer::start(blobs_));
        la_ssize_t size = 0;
        while ((size = ::archive_read_data(in.get(), buffer.get(), kBufferBytes)) > 0) TRY(writer.write({buffer.get(), static_cast<std::size_t>(size)}));
        if (size < 0) return Err(bad(fmt::format("{}: {}", name, reason())));
        digests_[name] = TRY(writer.finish(name.starts_with("blobs/sha256/") ? "sha256:" + name.substr(13) : std::string()));
      }
    }
    if (status != ARCHIVE_EOF) return Err(bad(fmt::format("{} is no image archive: {}", path, reason())));
    return {};
  }
  Result<std::string, Failure> text(const std::string& name) override { return blobs_.read(TRY(fetch_named(name))); }
  Result<void, Failure> fetch(const std::string& digest) override {
    if (blobs_.has(digest)) return {};
    return Err(bad(fmt::format("the archive lacks {}", digest)));
  }
  Result<std::string, Failure> fetch_named(const std::string& given) override {
    std::string name = plain_name(given);
    for (int hop = 0; hop < 8; ++hop) {
      if (const auto found = digests_.find(name); found != digests_.end()) return found->second;
      const auto link = links_.find(name);
      if (link == links_.end()) break;
      name = link->second;
    }
    return Err(Failure{fmt::format("the archive has no {}", given), ENOENT});
  }

 private:
  const BlobFolder& blobs_;
  std::map<std::string, std::string> digests_, links_;
};

// Everything that `digest` needs on this machine.
Result<void, Failure> fetch_image(Source& source, const BlobFolder& blobs, const std::string& digest, std::size_t depth) {
  if (depth > kIndexDepthMax) return Err(bad("indexes are nested too deeply"));
  TRY(source.fetch(digest));
  const Manifest manifest = TRY(parse_manifest(TRY(blobs.read(digest))));
  if (manifest.is_index()) {
    const Descriptor* ours = choose_platform(manifest);
    if (!ours) return Err(bad(fmt::format("the image has no variant for linux/{}", own_architecture())));
    return fetch_image(source, blobs, ours->digest, depth + 1);
  }
  TRY(source.fetch(manifest.config.digest));
  for (const Descriptor& layer : manifest.layers) TRY(source.fetch(layer.digest));
  return {};
}

Result<std::vector<FoundImage>, Failure> read_layout(Source& source, const BlobFolder& blobs, const std::string& index_text) {
  const Manifest index = TRY(parse_manifest(index_text));
  std::vector<FoundImage> out;
  for (const Descriptor& one : index.manifests) {
    // A layout may hold one image's variants side by side, unnamed.
    if (!one.architecture.empty() && (one.architecture != own_architecture() || one.os != "linux") && index.manifests.size() > 1) continue;
    TRY(fetch_image(source, blobs, one.digest, 0));
    out.push_back({one.digest, one.name});
  }
  if (out.empty()) return Err(bad(fmt::format("there is no image for linux/{} in it", own_architecture())));
  return out;
}

// https://github.com/moby/docker-image-spec/blob/main/spec.md: manifest.json names a configuration and plain layers.
Result<std::vector<FoundImage>, Failure> read_docker(Source& source, const BlobFolder& blobs, const std::string& text) {
  const auto json = Json::parse(text);
  if (!json || !json->is_array()) return Err(bad("manifest.json is not a list"));
  std::vector<FoundImage> out;
  for (const Json& one : json->as_array()) {
    const std::string config = TRY(source.fetch_named(one.text("Config")));
    Json manifest = Json::object({{"schemaVersion", 2}, {"mediaType", kOciManifest},
                                  {"config", Json::object({{"mediaType", "application/vnd.oci.image.config.v1+json"}, {"digest", config},
                                                           {"size", blobs.size(config).value_or(0)}})}});
    Json& layers = manifest.set("layers", Json::array());
    for (const Json& name : one["Layers"].as_array()) {
      const std::string digest = TRY(source.fetch_named(name.as_string()));
      layers.push_back(Json::object({{"mediaType", "application/vnd.oci.image.layer.v1.tar"}, {"digest", digest}, {"size", blobs.size(digest).value_or(0)}}));
    }
    const std::string bytes = manifest.dump(), digest = "sha256:" + sha256_hex(bytes);
    TRY(blobs.put(digest, bytes));
    if (one["RepoTags"].size() == 0) out.push_back({digest, {}});
    for (const Json& tag : one["RepoTags"].as_array()) out.push_back({digest, tag.as_string()});
  }
  if (out.empty()) return Err(bad("manifest.json names no image"));
  return out;
}

}  // namespace

Result<std::vector<FoundImage>, Failure> read_images(const std::string& path, const BlobFolder& blobs) {
  struct stat info{};
  if (::stat(path.c_str(), &info) < 0) return Err(io::last_error(path));
  std::unique_ptr<Source> source;
  if (S_ISDIR(info.st_mode)) {
    source = std::make_unique<Folder>(path, blobs);
  } else {
    auto tar = std::make_unique<Tar>(blobs);
    TRY(tar->read(path));
    source = std::move(tar);
  }
  const auto docker = source->text("manifest.json");
  if (const auto index = source->text("index.json")) {
    auto found = TRY(read_layout(*source, blobs, *index));
    // `docker save` writes both forms; only the older one has the names in full.
    const auto tags = docker ? Json::parse(*docker) : Err(wire::JsonError{});
    if (tags && found.size() == 1 && tags->size() == 1 && (found[0].name.empty() || is_tag(found[0].name)) && tags->at(0)["RepoTags"].size() > 0)
      found[0].name = tags->at(0)["RepoTags"].at(0).as_string();
    return found;
  }
  if (docker) return read_docker(*source, blobs, *docker);
  return Err(bad(fmt::format("{} is neither an OCI layout, an OCI archive nor the archive of docker save: it has no index.json and no manifest.json", path)));
}

}  // namespace reef::image
