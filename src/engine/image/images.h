// The images of this machine: imported from archives or pushed to the registry, kept under the data folder, unpacked
// once and shared read-only by all that run them. On the control shard; reading archives and unpacking on a pool.
//
// Always true: what a name refers to is whole, checked against its digests; a root is either complete or not there.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/result.h"
#include "base/task.h"
#include "base/time.h"
#include "engine/image/blobs.h"
#include "engine/image/layer.h"
#include "engine/image/manifest.h"
#include "engine/image/reference.h"
#include "engine/store/shard.h"
#include "io/pool.h"

namespace reef::image {

struct StoredImage {
  std::string digest;      // of its manifest or index
  std::string media_type;
  std::uint64_t bytes = 0;  // compressed, as registries count
  Time pushed{};
};

struct Repository {
  std::map<std::string, StoredImage, std::less<>> images;  // by digest
  std::map<std::string, std::string, std::less<>> tags;    // to digests
};

// An image ready to run. `root` is a folder that stays while somebody holds it.
struct OpenImage {
  std::string digest;         // of its manifest for this platform
  ImageConfig config;
  std::shared_ptr<const std::string> root;
};

class Images {
 public:
  explicit Images(std::string folder);

  void start();   // after recovery
  void forget();  // everything was wiped
  // Who get the files of unpacked images. Set before the first open().
  void set_owners(const Owners& owners) { owners_ = owners; }

  // Reads `path` (see archive.h). `name` is what to call its one image; without it the archive's own names decide.
  // Gives the references made.
  Task<Result<std::vector<std::string>, Failure>> import(std::string path, std::string name);
  // Untags, or removes the image of a digest with all its tags. False: there is none.
  bool remove(const Reference& reference);
  bool remove_repository(std::string_view repository);

  const std::map<std::string, Repository, std::less<>>& all() const { return repositories_; }
  const Repository* find_repository(std::string_view repository) const;
  const StoredImage* find(const Reference& reference) const;
  // What a manifest with all its parts weighs, and its size by itself.
  Result<StoredImage, Failure> describe(const std::string& digest) const;
  // Gives an image whose parts are among the blobs a name.
  Result<void, Failure> add(const Reference& reference, const std::string& digest);

  // Unpacks when needed; an image that is not here is taken from a Docker engine of this machine that has it. A failure's
  // code is ENOENT when there is no such image.
  Task<Result<OpenImage, Failure>> open(const Reference& reference);
  const BlobFolder& blobs() const { return blobs_; }

 private:
  struct Parsed {
    std::string digest;
    Manifest manifest;
    ImageConfig config;
    std::string chain;
  };
  Result<const Parsed*, Failure> parse(const std::string& digest);
  Task<Result<void, Failure>> take_from_docker(const Reference& reference);
  Result<std::string, Failure> unpack(const Parsed& image) const;
  void save(const std::string& repository);
  void parts_of(const std::string& digest, std::set<std::string>& into) const;
  void collect(const std::set<std::string>& candidates);
  void collect_roots();
  // The root of an image is named by its layers, and by the ids that its files belong to.
  std::string root_key(const Parsed& image) const { return owners_.count == 0 ? image.chain : fmt::format("{}-{}", image.chain, owners_.first); }
  std::string root_path(std::string_view key) const { return folder_ + "/roots/" + std::string(key); }

  std::string folder_;
  BlobFolder blobs_;
  Owners owners_;
  io::Pool pool_{"images", 2};
  std::map<std::string, Repository, std::less<>> repositories_;
  std::map<std::string, Parsed, std::less<>> parsed_;                                  // by digest
  std::map<std::string, std::shared_ptr<const std::string>, std::less<>> roots_;       // by key
  std::map<std::string, std::vector<Later<Result<void, Failure>>*>, std::less<>> unpacking_;  // who waits, by key
  std::map<std::string, std::vector<Later<Result<void, Failure>>*>, std::less<>> fetching_;   // the same, by reference
};

}  // namespace reef::image
