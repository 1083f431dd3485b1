#include "engine/blob/data.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "base/check.h"
#include "base/encoding.h"
#include "base/random.h"

namespace reef::blob {
namespace {

constexpr std::size_t kCopyBytes = 1 << 20;

Failure last_failure(const std::string& doing) { return {doing + ": " + std::strerror(errno), errno}; }

std::string new_id() {
  std::string raw(16, '\0');
  Random& random = thread_random();
  for (std::size_t at = 0; at < raw.size(); at += 8) {
    const std::uint64_t word = random.next();
    std::memcpy(raw.data() + at, &word, 8);
  }
  return hex_encode(raw);
}

}  // namespace

NewData::NewData(NewData&& other) noexcept
    : folder_(other.folder_), id_(std::move(other.id_)), buffered_(std::move(other.buffered_)), size_(other.size_),
      fd_(std::exchange(other.fd_, -1)), has_file_(std::exchange(other.has_file_, false)) {}

NewData& NewData::operator=(NewData&& other) noexcept {
  if (this == &other) return *this;
  discard();
  folder_ = other.folder_;
  id_ = std::move(other.id_);
  buffered_ = std::move(other.buffered_);
  size_ = other.size_;
  fd_ = std::exchange(other.fd_, -1);
  has_file_ = std::exchange(other.has_file_, false);
  return *this;
}

NewData::~NewData() { discard(); }

void NewData::discard() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  if (std::exchange(has_file_, false)) ::unlink(folder_->temporary_path(id_).c_str());
}

Result<void, Failure> NewData::append(std::string_view bytes) {
  size_ += bytes.size();
  if (!has_file_) {
    if (buffered_.size() + bytes.size() <= kInlineBytesMax) {
      buffered_ += bytes;
      return {};
    }
    id_ = new_id();
    fd_ = folder_->create_temporary(id_);
    if (fd_ < 0) return Err(last_failure("creating " + folder_->temporary_path(id_)));
    has_file_ = true;
    const std::string first = std::exchange(buffered_, {});
    size_ -= first.size() + bytes.size();
    TRY(append(first));
    return append(bytes);
  }
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Err(last_failure("writing an object"));
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Result<void, Failure> NewData::finish() {
  if (fd_ < 0) return {};
  if (folder_->durability_ == store::Durability::kPower && ::fdatasync(fd_) != 0) return Err(last_failure("syncing an object"));
  if (::close(std::exchange(fd_, -1)) != 0) return Err(last_failure("closing an object"));
  return {};
}

Segment NewData::commit(store::KvBatch& batch) {
  Segment segment{.id = id_.empty() ? new_id() : id_, .size = size_, .is_inline = !has_file_};
  if (!has_file_) {
    if (size_ > 0) batch.put(data_key(segment.id), buffered_);
    return segment;
  }
  CHECK(fd_ < 0);  // finished
  CHECK(folder_->place(segment));  // only a broken disk makes it fail
  has_file_ = false;
  return segment;
}

DataFolder::DataFolder(store::Kv& kv, std::string path, store::Durability durability)
    : kv_(kv), path_(std::move(path)), durability_(durability) {}

void DataFolder::start() {
  std::error_code ignored;
  std::filesystem::remove_all(path_ + "/tmp", ignored);
}

void DataFolder::wipe() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

int DataFolder::create_temporary(const std::string& id) const {
  const std::string path = temporary_path(id);
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC;
  const int fd = ::open(path.c_str(), kFlags, 0600);
  if (fd >= 0 || errno != ENOENT) return fd;
  std::error_code ignored;
  std::filesystem::create_directories(path_ + "/tmp", ignored);
  return ::open(path.c_str(), kFlags, 0600);
}

bool DataFolder::place(const Segment& segment) const {
  const std::string from = temporary_path(segment.id), to = path_of(segment);
  if (::rename(from.c_str(), to.c_str()) == 0) return true;
  if (errno != ENOENT) return false;
  std::error_code ignored;
  std::filesystem::create_directories(to.substr(0, to.rfind('/')), ignored);
  return ::rename(from.c_str(), to.c_str()) == 0;
}

std::string DataFolder::path_of(const Segment& segment) const {
  return path_ + "/" + segment.id.substr(0, 2) + "/" + segment.id;
}

std::string DataFolder::read_inline(const Segment& segment) const {
  if (segment.size == 0) return {};
  return kv_.get(data_key(segment.id)).value_or("");
}

Result<void, Failure> DataFolder::read(const Segment& segment, std::uint64_t offset, std::uint64_t size,
                                       const Visit& visit) const {
  if (segment.is_inline) return visit(std::string_view(read_inline(segment)).substr(offset, size));
  const std::string path = path_of(segment);
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Err(last_failure("opening " + path));
  std::string buffer(std::min<std::uint64_t>(kCopyBytes, size), '\0');
  Result<void, Failure> result;
  while (size > 0 && result) {
    const ssize_t n = ::pread(fd, buffer.data(), std::min<std::uint64_t>(buffer.size(), size), static_cast<off_t>(offset));
    if (n <= 0) {
      result = Err(last_failure("reading " + path));
      break;
    }
    result = visit(std::string_view(buffer).substr(0, static_cast<std::size_t>(n)));
    offset += static_cast<std::uint64_t>(n);
    size -= static_cast<std::uint64_t>(n);
  }
  ::close(fd);
  return result;
}

Result<NewData, Failure> DataFolder::duplicate(const Segment& segment) {
  NewData data(*this);
  if (segment.is_inline) {
    TRY(data.append(read_inline(segment)));
    return data;
  }
  data.id_ = new_id();
  const std::string path = path_of(segment);
  std::error_code ignored;
  std::filesystem::create_directories(path_ + "/tmp", ignored);
  if (::link(path.c_str(), temporary_path(data.id_).c_str()) != 0) return Err(last_failure("linking " + path));
  data.has_file_ = true;
  data.size_ = segment.size;
  return data;
}

void DataFolder::erase(const std::vector<Segment>& segments, store::KvBatch& batch) const {
  for (const Segment& segment : segments)
    if (segment.is_inline && segment.size > 0) batch.erase(data_key(segment.id));
}

void DataFolder::remove_files(const std::vector<Segment>& segments) const {
  for (const Segment& segment : segments)
    if (!segment.is_inline) ::unlink(path_of(segment).c_str());
}

std::vector<Segment> all_segments(const Object& object) {
  std::vector<Segment> segments = object.segments;
  for (const Part& part : object.parts) segments.insert(segments.end(), part.segments.begin(), part.segments.end());
  return segments;
}

}  // namespace reef::blob
