// The parts of images on disk, each in a file named by its digest: <folder>/blobs/sha256/<hex>. Thread-safe: files are
// written aside and renamed, so that one is either whole and true to its name or not there.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/digest.h"
#include "base/result.h"
#include "io/socket.h"

namespace reef::image {

class BlobFolder {
 public:
  explicit BlobFolder(std::string folder) : folder_(std::move(folder)) {}
  Result<void, Failure> make() const;  // the folders; what a former daemon left half-written goes

  std::string path(std::string_view digest) const;  // of a valid digest
  bool has(std::string_view digest) const;
  std::optional<std::uint64_t> size(std::string_view digest) const;
  // Documents are small; a failure names what is missing or too large.
  Result<std::string, Failure> read(std::string_view digest) const;
  Result<void, Failure> put(std::string_view digest, std::string_view bytes) const;
  void remove(std::string_view digest) const;
  std::vector<std::string> all() const;

  // A blob that arrives in pieces.
  class Writer {
   public:
    static Result<Writer, Failure> start(const BlobFolder& folder);
    Result<void, Failure> write(std::string_view bytes);
    std::uint64_t bytes() const { return bytes_; }
    // Its digest; it is in the folder then. With `expected`, a failure when it is another one.
    Result<std::string, Failure> finish(std::string_view expected = {});
    Writer(Writer&&) = default;
    Writer& operator=(Writer&&) = default;
    ~Writer();

   private:
    Writer(const BlobFolder& folder, io::Fd file, std::string path) : folder_(&folder), file_(std::move(file)), path_(std::move(path)) {}
    const BlobFolder* folder_;
    io::Fd file_;
    std::string path_;
    std::uint64_t bytes_ = 0;
    Hasher hasher_{Hasher::Kind::kSha256};
  };

 private:
  std::string folder_;
};

inline constexpr std::uint64_t kDocumentBytesMax = 4 << 20;

}  // namespace reef::image
