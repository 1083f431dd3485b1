#include "engine/store/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <thread>

#include <fmt/format.h>

#include "base/digest.h"
#include "base/log.h"
#include "base/text.h"

namespace reef::store {
namespace {

constexpr std::string_view kSegmentMagic = "ATOLLJ01";
constexpr std::string_view kCheckpointMagic = "ATOLLC01";
constexpr std::uint64_t kCheckpointEveryBytes = 64u << 20;
constexpr std::uint32_t kPreZeroBytes = 1u << 20;

std::uint32_t record_crc(std::uint8_t kind, std::string_view payload) {
  const char byte = static_cast<char>(kind);
  return crc32c(payload, crc32c({&byte, 1}));
}

// A write that cannot be completed must not be survived: what is in memory would differ from what is stored.
[[noreturn]] void storage_failed(const std::string& what) {
  log::error("storage failed; stopping so that nothing unstored is acknowledged",
             {{"what", what}, {"reason", std::strerror(errno)}});
  std::_Exit(74);  // EX_IOERR
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

Result<std::string, Failure> read_file(const std::string& path) {
  const io::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat info{};
  if (!fd || ::fstat(fd.get(), &info) != 0) return Err(io::last_error("open " + path));
  std::string out;
  out.resize(static_cast<std::size_t>(info.st_size));
  std::size_t done = 0;
  while (done < out.size()) {
    const auto n = ::pread(fd.get(), out.data() + done, out.size() - done, static_cast<off_t>(done));
    if (n < 0) return Err(io::last_error("read " + path));
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  out.resize(done);
  return out;
}

void sync_folder(const std::string& folder) {
  const io::Fd fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd) ::fsync(fd.get());
}

}  // namespace

// A checkpoint on its way to disk.
struct Journal::CheckpointWrite {
  std::uint32_t replay_from;
  std::uint64_t size;
  std::atomic<bool> done{false};
  std::thread thread;
};

Result<std::unique_ptr<Journal>, Failure> Journal::open(std::string folder, Durability durability) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) return Err(Failure{fmt::format("create {}: {}", folder, error.message()), error.value()});
  return std::unique_ptr<Journal>(new Journal(std::move(folder), durability));
}

Journal::Journal(std::string folder, Durability durability) : folder_(std::move(folder)), durability_(durability) {}

Journal::~Journal() {
  if (writing_ && writing_->thread.joinable()) writing_->thread.join();
}

void Journal::attach(std::uint8_t kind, JournalUser& user) { CHECK(users_.emplace(kind, &user).second); }

std::string Journal::segment_path(std::uint32_t segment) const { return fmt::format("{}/{:08}.log", folder_, segment); }

Result<void, Failure> Journal::open_segment(std::uint32_t segment) {
  const std::string path = segment_path(segment);
  io::Fd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd) return Err(io::last_error("open " + path));
  struct stat info{};
  if (::fstat(fd.get(), &info) != 0) return Err(io::last_error("stat " + path));
  if (info.st_size == 0) {
    if (!write_all(fd.get(), kSegmentMagic)) return Err(io::last_error("write " + path));
    info.st_size = static_cast<off_t>(kSegmentMagic.size());
    if (durability_ == Durability::kPower) sync_folder(folder_);
  }
  sizes_[segment] = static_cast<std::uint32_t>(info.st_size);
  segments_[segment] = std::move(fd);
  return {};
}

Result<void, Failure> Journal::load_checkpoint(std::uint32_t& replay_from) {
  const std::string path = folder_ + "/checkpoint";
  if (!std::filesystem::exists(path)) return {};
  const std::string bytes = TRY(read_file(path));
  constexpr std::size_t kTail = 4;
  if (!std::string_view(bytes).starts_with(kCheckpointMagic.substr(0, 6)))
    return Err(Failure{fmt::format("{} is not a checkpoint of Atoll", path)});
  if (!std::string_view(bytes).starts_with(kCheckpointMagic))
    return Err(Failure{fmt::format("{} has format version {}, and this build knows 01: use the build that wrote it, or "
                                   "another --data folder", path, bytes.substr(6, 2))});
  if (bytes.size() < kCheckpointMagic.size() + 4 + kTail) return Err(Failure{path + " is cut short"});
  const std::string_view content = std::string_view(bytes).substr(0, bytes.size() - kTail);
  std::uint32_t crc;
  std::memcpy(&crc, bytes.data() + content.size(), sizeof crc);
  if (crc32c(content) != crc) return Err(Failure{path + " is damaged: its checksum does not match"});
  ByteReader in(content.substr(kCheckpointMagic.size()));
  replay_from = in.fixed<std::uint32_t>();
  while (!in.at_end()) {
    const auto kind = in.fixed<std::uint8_t>();
    const auto size = in.fixed<std::uint64_t>();
    if (!in.ok() || size > in.rest().size()) return Err(Failure{path + " is damaged"});
    const std::string_view state = in.rest().substr(0, size);
    const auto user = users_.find(kind);
    if (user == users_.end())
      return Err(Failure{fmt::format("{} holds records of kind {}, which this build does not know", path, kind)});
    if (!user->second->load(state)) return Err(Failure{fmt::format("{}: state of kind {} is damaged", path, kind)});
    in = ByteReader(in.rest().substr(size));
  }
  checkpoint_bytes_ = bytes.size();
  return {};
}

Result<void, Failure> Journal::recover() {
  std::uint32_t replay_from = 0;
  TRY(load_checkpoint(replay_from));
  std::vector<std::uint32_t> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder_))
    if (entry.path().extension() == ".log")
      if (const auto number = parse_int<std::uint32_t>(entry.path().stem().string())) found.push_back(*number);
  std::sort(found.begin(), found.end());
  for (const std::uint32_t segment : found) {
    TRY(open_segment(segment));
    if (segment >= replay_from) TRY(replay_segment(segment, segment == found.back()));
  }
  checkpointed_segment_ = replay_from;
  segment_ = found.empty() ? std::max(replay_from, 1u) : found.back();
  if (found.empty()) TRY(open_segment(segment_));
  written_ = zeroed_ = sizes_[segment_];
  delete_old_segments();
  return {};
}

Result<void, Failure> Journal::replay_segment(std::uint32_t segment, bool is_last) {
  const std::string path = segment_path(segment);
  const std::string bytes = TRY(read_file(path));
  if (!std::string_view(bytes).starts_with(kSegmentMagic)) {
    if (is_last && bytes.size() < kSegmentMagic.size()) {  // killed while creating it
      if (::ftruncate(segments_[segment].get(), 0) != 0 || ::pwrite(segments_[segment].get(), kSegmentMagic.data(), kSegmentMagic.size(), 0) < 0)
        return Err(io::last_error("repair " + path));
      sizes_[segment] = static_cast<std::uint32_t>(kSegmentMagic.size());
      return {};
    }
    if (bytes.starts_with(kSegmentMagic.substr(0, 6)))
      return Err(Failure{fmt::format("{} has format version {}, and this build knows 01: use the build that wrote it, "
                                     "or another --data folder", path, bytes.substr(6, 2))});
    return Err(Failure{path + " is not a journal segment of Atoll"});
  }
  std::size_t at = kSegmentMagic.size();
  while (at + kRecordHeaderBytes <= bytes.size()) {
    ByteReader header(std::string_view(bytes).substr(at, kRecordHeaderBytes));
    const auto size = header.fixed<std::uint32_t>();
    const auto crc = header.fixed<std::uint32_t>();
    const auto kind = header.fixed<std::uint8_t>();
    if (size > bytes.size() - at - kRecordHeaderBytes) break;
    const std::string_view payload = std::string_view(bytes).substr(at + kRecordHeaderBytes, size);
    if (kind == 0 || record_crc(kind, payload) != crc) break;
    const auto user = users_.find(kind);
    if (user == users_.end())
      return Err(Failure{fmt::format("{} holds records of kind {}, which this build does not know", path, kind)});
    user->second->replay(payload, {segment, static_cast<std::uint32_t>(at), size});
    appended_since_checkpoint_ += kRecordHeaderBytes + size;
    at += kRecordHeaderBytes + size;
  }
  if (at == bytes.size()) return {};
  const bool only_zeros = bytes.find_first_not_of('\0', at) == std::string::npos;  // pre-zeroed space
  if (!is_last && !only_zeros)
    return Err(Failure{fmt::format("{} is damaged at byte {}: restore the data folder from a copy, or start with "
                                   "another --data folder", path, at)});
  if (!only_zeros)
    log::warn("cut a torn record off the journal; it was never acknowledged", {{"file", path}, {"bytes", bytes.size() - at}});
  if (is_last) {
    if (::ftruncate(segments_[segment].get(), static_cast<off_t>(at)) != 0) return Err(io::last_error("truncate " + path));
    sizes_[segment] = static_cast<std::uint32_t>(at);
  }
  return {};
}

RecordRef Journal::append(std::uint8_t kind, std::string_view payload) {
  const std::size_t total = kRecordHeaderBytes + payload.size();
  if (written_ + pending_.size() + total > kSegmentBytes && written_ + pending_.size() > kSegmentMagic.size()) roll();
  const RecordRef at{segment_, written_ + static_cast<std::uint32_t>(pending_.size()),
                     static_cast<std::uint32_t>(payload.size())};
  ByteWriter out(pending_);
  out.fixed(static_cast<std::uint32_t>(payload.size()));
  out.fixed(record_crc(kind, payload));
  out.fixed(kind);
  pending_ += payload;
  appended_since_checkpoint_ += total;
  if (shard_) shard_->dirty(*this);
  return at;
}

std::string Journal::read(RecordRef at) const {
  std::string out;
  out.resize(at.size);
  if (at.segment == segment_ && at.offset >= written_) {
    out.assign(pending_, at.offset - written_ + kRecordHeaderBytes, at.size);
    return out;
  }
  const auto segment = segments_.find(at.segment);
  CHECK(segment != segments_.end());
  const auto n = ::pread(segment->second.get(), out.data(), at.size, static_cast<off_t>(at.offset + kRecordHeaderBytes));
  CHECK(n == static_cast<ssize_t>(at.size));
  return out;
}

void Journal::write_out(std::string_view bytes) {
  const int fd = segments_[segment_].get();
  if (durability_ == Durability::kPower && written_ + bytes.size() > zeroed_) {
    // Overwriting zeroed space spares the file-size update in each fdatasync.
    const std::uint32_t upto = (written_ + static_cast<std::uint32_t>(bytes.size()) + kPreZeroBytes) & ~4095u;
    const std::string zeros(upto - zeroed_, '\0');
    if (::pwrite(fd, zeros.data(), zeros.size(), zeroed_) != static_cast<ssize_t>(zeros.size())) storage_failed("extend the journal");
    zeroed_ = upto;
    if (::fsync(fd) != 0) storage_failed("sync the journal");
  }
  while (!bytes.empty()) {
    const auto n = ::pwrite(fd, bytes.data(), bytes.size(), written_);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) storage_failed("write the journal");
    written_ += static_cast<std::uint32_t>(n);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  sizes_[segment_] = written_;
}

void Journal::commit() {
  if (pending_.empty()) return;
  write_out(pending_);
  pending_.clear();
  if (pending_.capacity() > (4u << 20)) pending_.shrink_to_fit();
  if (durability_ == Durability::kPower && ::fdatasync(segments_[segment_].get()) != 0) storage_failed("sync the journal");
}

void Journal::roll() {
  commit();
  if (durability_ == Durability::kPower && ::ftruncate(segments_[segment_].get(), written_) != 0) storage_failed("truncate a segment");
  ++segment_;
  if (const auto opened = open_segment(segment_); !opened) storage_failed(opened.error().message);
  written_ = zeroed_ = sizes_[segment_];
}

std::string Journal::serialise_checkpoint() {
  std::string out(kCheckpointMagic);
  ByteWriter writer(out);
  writer.fixed(segment_);
  for (const auto& [kind, user] : users_) {
    writer.fixed(kind);
    const std::size_t size_at = out.size();
    writer.fixed(std::uint64_t{0});
    user->save(out);
    const std::uint64_t size = out.size() - size_at - sizeof size;
    std::memcpy(out.data() + size_at, &size, sizeof size);
  }
  writer.fixed(crc32c(out));
  return out;
}

void Journal::checkpoint_if_due() {
  collect_checkpoint(false);
  // Also relative to the checkpoint's own size, so that a large state is not written over and over.
  if (writing_ || appended_since_checkpoint_ < std::max(kCheckpointEveryBytes, 4 * checkpoint_bytes_)) return;
  roll();
  writing_ = std::make_unique<CheckpointWrite>();
  writing_->replay_from = segment_;
  std::string bytes = serialise_checkpoint();
  writing_->size = bytes.size();
  appended_since_checkpoint_ = 0;
  writing_->thread = std::thread([write = writing_.get(), bytes = std::move(bytes), folder = folder_] {
    const std::string path = folder + "/checkpoint";
    const io::Fd fd(::open((path + ".new").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!fd || !write_all(fd.get(), bytes) || ::fdatasync(fd.get()) != 0 ||
        ::rename((path + ".new").c_str(), path.c_str()) != 0)
      storage_failed("write a checkpoint");
    sync_folder(folder);
    write->done.store(true, std::memory_order_release);
  });
}

void Journal::collect_checkpoint(bool wait) {
  if (!writing_ || (!wait && !writing_->done.load(std::memory_order_acquire))) return;
  writing_->thread.join();
  checkpointed_segment_ = writing_->replay_from;
  checkpoint_bytes_ = writing_->size;
  writing_.reset();
  delete_old_segments();
}

void Journal::checkpoint_now() {
  collect_checkpoint(true);
  commit();
  if (appended_since_checkpoint_ == 0) return;
  appended_since_checkpoint_ = UINT64_MAX / 8;
  checkpoint_if_due();
  collect_checkpoint(true);
}

void Journal::delete_old_segments() {
  std::uint32_t keep_from = std::min(checkpointed_segment_, segment_);
  for (const auto& [kind, user] : users_) keep_from = std::min(keep_from, user->oldest_segment_needed());
  while (!segments_.empty() && segments_.begin()->first < keep_from) {
    ::unlink(segment_path(segments_.begin()->first).c_str());
    sizes_.erase(segments_.begin()->first);
    segments_.erase(segments_.begin());
  }
}

void Journal::reset() {
  commit();
  for (const auto& [kind, user] : users_) user->clear();
  appended_since_checkpoint_ = UINT64_MAX / 8;
  collect_checkpoint(true);
  checkpoint_if_due();
  collect_checkpoint(true);
}

std::uint64_t Journal::bytes_on_disk() const {
  std::uint64_t total = checkpoint_bytes_;
  for (const auto& [segment, size] : sizes_) total += size;
  return total;
}

}  // namespace reef::store
