#include "engine/image/images.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "base/digest.h"
#include "base/log.h"
#include "base/random.h"
#include "base/text.h"
#include "engine/image/archive.h"
#include "engine/image/docker_engine.h"
#include "engine/image/layer.h"
#include "engine/store/records.h"
#include "wire/json.h"

namespace reef::image {
namespace {
namespace fs = std::filesystem;
using wire::Json;

constexpr std::string_view kPrefix = "image/";
constexpr std::size_t kChainBytes = 64;
store::Shard& control() { return store::Shard::control(); }

Json to_json(const Repository& repository) {
  Json out = Json::object();
  Json& images = out.set("images", Json::object());
  for (const auto& [digest, image] : repository.images)
    images.set(digest, Json::object({{"type", image.media_type}, {"bytes", image.bytes}, {"pushed", to_micros(image.pushed)}}));
  Json& tags = out.set("tags", Json::object());
  for (const auto& [tag, digest] : repository.tags) tags.set(tag, digest);
  return out;
}

Repository from_json(const Json& json) {
  Repository out;
  for (const auto& [digest, image] : json["images"].as_object())
    out.images.emplace(digest, StoredImage{.digest = digest, .media_type = image.text("type"), .bytes = static_cast<std::uint64_t>(image["bytes"].as_int().value_or(0)),
                                           .pushed = from_micros(image["pushed"].as_int().value_or(0))});
  for (const auto& [tag, digest] : json["tags"].as_object()) out.tags.emplace(tag, digest.as_string());
  return out;
}

// The name of one image of an archive: what was asked for, or what the archive says.
Result<Reference, Failure> choose_name(const FoundImage& found, const std::string& wanted, const std::string& path) {
  std::string text = wanted.empty() ? found.name : wanted;
  if (text.empty() || (wanted.empty() && is_tag(text) && text.find('/') == std::string::npos && found.name.find(':') == std::string::npos)) {
    // Only a tag: the file's name has to do for the rest, as with other tools.
    std::string stem = fs::path(path).filename().string();
    stem = to_lower(stem.substr(0, stem.find('.')));
    text = text.empty() ? stem : stem + ":" + text;
  }
  const auto reference = parse_reference(text);
  if (!reference || reference->tag.empty()) return Err(Failure{fmt::format("'{}' is no name for an image; give one with --name repository:tag", text), EINVAL});
  return *reference;
}

}  // namespace

Images::Images(std::string folder) : folder_(std::move(folder)), blobs_(folder_) {}

void Images::start() {
  if (auto made = blobs_.make(); !made) log::error("images", {{"reason", made.error().message}});
  control().records().scan(kPrefix, [this](std::string_view key, const std::string& text) {
    if (const auto json = Json::parse(text)) repositories_.emplace(std::string(key.substr(kPrefix.size())), from_json(*json));
    return true;
  });
  std::set<std::string> all;
  for (const std::string& digest : blobs_.all()) all.insert(digest);
  collect(all);
  // What a former daemon did not finish, or what nothing names any more.
  std::error_code error;
  fs::create_directories(folder_ + "/roots", error);
  std::set<std::string> wanted;
  for (const auto& [name, repository] : repositories_)
    for (const auto& [digest, image] : repository.images)
      if (const auto parsed = parse(digest)) wanted.insert((*parsed)->chain);
  for (const auto& entry : fs::directory_iterator(folder_ + "/roots", error)) {
    const std::string name = entry.path().filename().string();
    const bool is_whole = name.find("-new-") == std::string::npos && name.find("-gone-") == std::string::npos;
    if (is_whole && wanted.contains(name.substr(0, kChainBytes))) roots_.emplace(name, std::make_shared<const std::string>(entry.path().string()));
    else static_cast<void>(remove_tree(AT_FDCWD, entry.path().string()));
  }
}

void Images::forget() {
  repositories_.clear();
  parsed_.clear();
  std::set<std::string> all;
  for (const std::string& digest : blobs_.all()) all.insert(digest);
  collect(all);
  collect_roots();
}

void Images::save(const std::string& repository) {
  const std::string key = std::string(kPrefix) + repository;
  const auto found = repositories_.find(repository);
  if (found->second.images.empty()) {
    repositories_.erase(found);
    control().records().erase(key);
    return;
  }
  control().records().put(key, to_json(found->second).dump());
}

Task<Result<std::vector<std::string>, Failure>> Images::import(std::string path, std::string name) {
  auto read = co_await pool_.run([&] { return read_images(path, blobs_); });
  if (!read) co_return Err(Failure{"too many images are being imported already; try again", EAGAIN});
  const std::vector<FoundImage> found = CO_TRY(std::move(*read));
  if (!name.empty() && found.size() > 1) co_return Err(Failure{fmt::format("the archive holds {} images; leave --name out to keep their own names", found.size()), EINVAL});
  std::vector<std::string> out;
  for (const FoundImage& one : found) {
    const Reference reference = CO_TRY(choose_name(one, name, path));
    CO_TRY(add(reference, one.digest));
    out.push_back(reference.text());
  }
  co_await control().committed();
  co_return out;
}

Result<StoredImage, Failure> Images::describe(const std::string& digest) const {
  const std::string bytes = TRY(blobs_.read(digest));
  const Manifest manifest = TRY(parse_manifest(bytes));
  StoredImage out{.digest = digest, .media_type = manifest.media_type, .bytes = manifest.config.bytes, .pushed = control().now()};
  for (const Descriptor& layer : manifest.layers) out.bytes += layer.bytes;
  for (const Descriptor& one : manifest.manifests)
    if (blobs_.has(one.digest)) out.bytes += TRY(describe(one.digest)).bytes;
  return out;
}

Result<void, Failure> Images::add(const Reference& reference, const std::string& digest) {
  StoredImage image = TRY(describe(digest));
  Repository& repository = repositories_[reference.repository];
  const auto [stored, is_new] = repository.images.emplace(digest, image);
  if (!is_new) stored->second.pushed = image.pushed;
  if (!reference.tag.empty()) repository.tags.insert_or_assign(reference.tag, digest);
  save(reference.repository);
  return {};
}

const Repository* Images::find_repository(std::string_view name) const {
  const auto found = repositories_.find(name);
  return found == repositories_.end() ? nullptr : &found->second;
}

const StoredImage* Images::find(const Reference& reference) const {
  const Repository* repository = find_repository(reference.repository);
  if (!repository) return nullptr;
  std::string_view digest = reference.digest;
  if (digest.empty()) {
    const auto tag = repository->tags.find(reference.tag);
    if (tag == repository->tags.end()) return nullptr;
    digest = tag->second;
  }
  const auto image = repository->images.find(digest);
  return image == repository->images.end() ? nullptr : &image->second;
}

bool Images::remove(const Reference& reference) {
  const StoredImage* image = find(reference);
  if (!image) return false;
  const std::string digest = image->digest;
  Repository& repository = repositories_[reference.repository];
  if (reference.digest.empty()) repository.tags.erase(reference.tag);
  else std::erase_if(repository.tags, [&](const auto& tag) { return tag.second == digest; });
  bool is_tagged = false;
  for (const auto& [tag, other] : repository.tags) is_tagged = is_tagged || other == digest;
  if (!is_tagged) repository.images.erase(digest);
  save(reference.repository);
  if (is_tagged) return true;
  std::set<std::string> parts;
  parts_of(digest, parts);
  collect(parts);
  collect_roots();
  return true;
}

bool Images::remove_repository(std::string_view name) {
  const auto found = repositories_.find(name);
  if (found == repositories_.end()) return false;
  std::set<std::string> parts;
  for (const auto& [digest, image] : found->second.images) parts_of(digest, parts);
  found->second = {};
  save(std::string(name));
  collect(parts);
  collect_roots();
  return true;
}

void Images::parts_of(const std::string& digest, std::set<std::string>& into) const {
  if (!into.insert(digest).second) return;
  const auto text = blobs_.read(digest);
  const auto manifest = text ? parse_manifest(*text) : Err(text.error());
  if (!manifest) return;
  for (const Descriptor& one : manifest->manifests) parts_of(one.digest, into);
  if (!manifest->is_index()) into.insert(manifest->config.digest);
  for (const Descriptor& layer : manifest->layers) into.insert(layer.digest);
}

// Removes those of `candidates` that no image needs.
void Images::collect(const std::set<std::string>& candidates) {
  std::set<std::string> needed;
  for (const auto& [name, repository] : repositories_)
    for (const auto& [digest, image] : repository.images) parts_of(digest, needed);
  for (const std::string& digest : candidates) {
    if (needed.contains(digest)) continue;
    blobs_.remove(digest);
    parsed_.erase(digest);
  }
}

// Roots that no image needs and nobody runs from.
void Images::collect_roots() {
  std::set<std::string> wanted;
  for (const auto& [name, repository] : repositories_)
    for (const auto& [digest, image] : repository.images)
      if (const auto parsed = parse(digest)) wanted.insert((*parsed)->chain);
  for (auto root = roots_.begin(); root != roots_.end();) {
    if (wanted.contains(root->first.substr(0, kChainBytes)) || root->second.use_count() > 1) {
      ++root;
      continue;
    }
    const std::string path = *root->second, gone = path + "-gone-" + make_token(thread_random(), 8);
    if (::rename(path.c_str(), gone.c_str()) == 0)
      if (!pool_.submit([gone] { static_cast<void>(remove_tree(AT_FDCWD, gone)); })) log::warn("an unpacked image is removed at the next start", {{"folder", gone}});
    root = roots_.erase(root);
  }
}

Result<const Images::Parsed*, Failure> Images::parse(const std::string& digest) {
  if (const auto known = parsed_.find(digest); known != parsed_.end()) return &known->second;
  Parsed out{.digest = digest, .manifest = TRY(parse_manifest(TRY(blobs_.read(digest)))), .config = {}, .chain = {}};
  for (int depth = 0; out.manifest.is_index(); ++depth) {
    const Descriptor* ours = choose_platform(out.manifest);
    if (!ours || depth > 4) return Err(Failure{fmt::format("{} has no variant for linux/{}", digest, own_architecture()), EINVAL});
    out.digest = ours->digest;
    out.manifest = TRY(parse_manifest(TRY(blobs_.read(out.digest))));
  }
  out.config = TRY(parse_config(TRY(blobs_.read(out.manifest.config.digest))));
  if (!out.config.architecture.empty() && out.config.architecture != own_architecture())
    return Err(Failure{fmt::format("the image is for linux/{}, this machine is linux/{}", out.config.architecture, own_architecture()), EINVAL});
  if (out.config.diff_ids.size() != out.manifest.layers.size())
    return Err(Failure{fmt::format("{} has {} layers and {} diff_ids", digest, out.manifest.layers.size(), out.config.diff_ids.size()), EINVAL});
  std::string ids;
  for (const std::string& id : out.config.diff_ids) ids += id + "\n";
  out.chain = sha256_hex(ids);
  return &parsed_.emplace(digest, std::move(out)).first->second;
}

// On the pool.
Result<std::string, Failure> Images::unpack(const Parsed& image) const {
  const std::string path = root_path(root_key(image)), aside = path + "-new-" + make_token(thread_random(), 8);
  if (::mkdir(aside.c_str(), 0755) < 0) return Err(io::last_error(aside));
  if (owners_.count > 0) static_cast<void>(!::chown(aside.c_str(), owners_.first, owners_.first));
  const auto lay = [&]() -> Result<void, Failure> {
    const io::Fd root(::open(aside.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!root) return Err(io::last_error(aside));
    for (std::size_t i = 0; i < image.manifest.layers.size(); ++i)
      TRY(apply_layer(root.get(), blobs_.path(image.manifest.layers[i].digest), image.config.diff_ids[i], owners_));
    return {};
  };
  auto laid = lay();
  if (laid && ::rename(aside.c_str(), path.c_str()) < 0) laid = Err(io::last_error(path));
  if (!laid) {
    static_cast<void>(remove_tree(AT_FDCWD, aside));
    return Err(std::move(laid).error());
  }
  return path;
}

Task<Result<void, Failure>> Images::take_from_docker(const Reference& reference) {
  const std::string socket = docker_socket(), name = reference.text();
  if (socket.empty()) co_return Err(Failure{fmt::format("there is no image {}", name), ENOENT});
  if (const auto busy = fetching_.find(name); busy != fetching_.end()) {
    Later<Result<void, Failure>> done;
    busy->second.push_back(&done);
    co_return co_await done;
  }
  fetching_.emplace(name, std::vector<Later<Result<void, Failure>>*>());
  const std::string file = fmt::format("{}/docker-{}.tar", folder_, make_token(thread_random(), 12));
  const auto saved = co_await pool_.run([&] { return save_from_docker(socket, name, file); });
  Result<void, Failure> result;
  if (!saved) result = Err(Failure{"too many images are being read already", EAGAIN});
  else result = *saved;
  if (result) {
    if (const auto imported = co_await import(file, name); !imported) result = Err(imported.error());
  }
  ::unlink(file.c_str());
  const auto waiters = std::move(fetching_.find(name)->second);
  fetching_.erase(name);
  for (auto* waiter : waiters) waiter->set(result);
  co_return result;
}

Task<Result<OpenImage, Failure>> Images::open(const Reference& reference) {
  const StoredImage* stored = find(reference);
  if (!stored) {
    const Reference wanted = reference;
    if (const auto taken = co_await take_from_docker(wanted); !taken && taken.error().code != ENOENT) co_return Err(Failure{fmt::format("{}: {}", wanted.text(), taken.error().message), EPROTO});
    stored = find(wanted);
  }
  if (!stored) co_return Err(Failure{fmt::format("there is no image {}", reference.text()), ENOENT});
  const Parsed image = *CO_TRY(parse(stored->digest));  // a copy: what follows suspends
  const std::string key = root_key(image);
  if (const auto root = roots_.find(key); root != roots_.end()) co_return OpenImage{image.digest, image.config, root->second};
  if (const auto busy = unpacking_.find(key); busy != unpacking_.end()) {
    Later<Result<void, Failure>> done;
    busy->second.push_back(&done);
    CO_TRY(co_await done);
  } else {
    unpacking_.emplace(key, std::vector<Later<Result<void, Failure>>*>());
    auto unpacked = co_await pool_.run([&] { return unpack(image); });
    Result<void, Failure> result;
    if (!unpacked) result = Err(Failure{"too many images are being unpacked already", EAGAIN});
    else if (!*unpacked) result = Err(unpacked->error());
    else roots_.insert_or_assign(key, std::make_shared<const std::string>(**unpacked));
    const auto waiters = std::move(unpacking_.find(key)->second);
    unpacking_.erase(key);
    for (auto* waiter : waiters) waiter->set(result);
    CO_TRY(std::move(result));
  }
  const auto root = roots_.find(key);
  if (root == roots_.end()) co_return Err(Failure{fmt::format("the image {} was removed", reference.text()), ENOENT});
  co_return OpenImage{image.digest, image.config, root->second};
}

}  // namespace reef::image
