#include "engine/image/blobs.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/encoding.h"
#include "base/random.h"
#include "engine/image/reference.h"

namespace reef::image {
namespace fs = std::filesystem;

Result<void, Failure> BlobFolder::make() const {
  std::error_code error;
  fs::create_directories(folder_ + "/blobs/sha256", error);
  if (error) return Err(Failure{fmt::format("{}: {}", folder_, error.message()), error.value()});
  fs::remove_all(folder_ + "/incoming", error);
  fs::create_directories(folder_ + "/incoming", error);
  if (error) return Err(Failure{fmt::format("{}: {}", folder_, error.message()), error.value()});
  return {};
}

std::string BlobFolder::path(std::string_view digest) const { return fmt::format("{}/blobs/sha256/{}", folder_, digest.substr(digest.find(':') + 1)); }

std::optional<std::uint64_t> BlobFolder::size(std::string_view digest) const {
  struct stat info{};
  if (!is_digest(digest) || ::stat(path(digest).c_str(), &info) < 0) return std::nullopt;
  return static_cast<std::uint64_t>(info.st_size);
}

bool BlobFolder::has(std::string_view digest) const { return size(digest).has_value(); }

Result<std::string, Failure> BlobFolder::read(std::string_view digest) const {
  const auto bytes = size(digest);
  if (!bytes) return Err(Failure{fmt::format("{} is not there", digest), ENOENT});
  if (*bytes > kDocumentBytesMax) return Err(Failure{fmt::format("{} is too large for a document", digest), EFBIG});
  const io::Fd file(::open(path(digest).c_str(), O_RDONLY | O_CLOEXEC));
  std::string out(*bytes, '\0');
  if (!file || ::read(file.get(), out.data(), out.size()) != static_cast<ssize_t>(out.size())) return Err(io::last_error(std::string(digest)));
  return out;
}

Result<void, Failure> BlobFolder::put(std::string_view digest, std::string_view bytes) const {
  Writer writer = TRY(Writer::start(*this));
  TRY(writer.write(bytes));
  TRY(writer.finish(digest));
  return {};
}

void BlobFolder::remove(std::string_view digest) const {
  if (is_digest(digest)) ::unlink(path(digest).c_str());
}

std::vector<std::string> BlobFolder::all() const {
  std::vector<std::string> out;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_ + "/blobs/sha256", error)) out.push_back("sha256:" + entry.path().filename().string());
  return out;
}

Result<BlobFolder::Writer, Failure> BlobFolder::Writer::start(const BlobFolder& folder) {
  std::string path = fmt::format("{}/incoming/{}", folder.folder_, make_token(thread_random(), 24));
  io::Fd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (!file) return Err(io::last_error(path));
  return Writer(folder, std::move(file), std::move(path));
}

Result<void, Failure> BlobFolder::Writer::write(std::string_view bytes) {
  hasher_.update(bytes);
  bytes_ += bytes.size();
  while (!bytes.empty()) {
    const ssize_t size = ::write(file_.get(), bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return Err(io::last_error("write " + path_));
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return {};
}

Result<std::string, Failure> BlobFolder::Writer::finish(std::string_view expected) {
  const std::string digest = "sha256:" + hex_encode(hasher_.finish());
  if (!expected.empty() && digest != expected) return Err(Failure{fmt::format("the contents of {} have the digest {}", expected, digest), EBADMSG});
  file_.reset();
  if (::rename(path_.c_str(), folder_->path(digest).c_str()) < 0) return Err(io::last_error("keep " + digest));
  path_.clear();
  return digest;
}

BlobFolder::Writer::~Writer() {
  if (file_ && !path_.empty()) ::unlink(path_.c_str());
}

}  // namespace reef::image
