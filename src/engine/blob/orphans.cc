#include "engine/blob/orphans.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <coroutine>
#include <cstring>
#include <ctime>
#include <optional>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/log.h"

namespace reef::blob {
namespace {

constexpr unsigned kFolders = 256;
constexpr std::size_t kIdLength = 32;

struct CloseFolder {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

struct NextTick {
  io::Reactor& reactor;
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> waiter) const {
    reactor.post([waiter] { waiter.resume(); });
  }
  void await_resume() const {}
};

Time time_of(const timespec& at) { return from_micros(at.tv_sec * 1'000'000 + at.tv_nsec / 1000); }

}  // namespace

Time file_time_now() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME_COARSE, &now);  // the one that stamps files: the finer one may be ahead of it
  return time_of(now);
}

void OrphanSearch::stop() {
  is_stopped_ = true;
  records_.reset();
}

Task<void> OrphanSearch::pause() {
  if (++done_in_slice_ < pace_.slice) co_return;
  done_in_slice_ = 0;
  io::Reactor& reactor = store::Shard::control().reactor();
  if (pace_.pause > Duration(0))
    co_await reactor.sleep(pace_.pause);
  else
    co_await NextTick{reactor};
}

// What was begun on a shard before this call is finished and on the disk afterwards: a file is placed and its record
// written without a pause between.
Task<void> OrphanSearch::visit_all_shards() {
  for (std::size_t i = 0; i < store::Shard::count(); ++i) {
    co_await store::Shard::at(i).enter();
    co_await store::Shard::at(i).committed();
  }
  co_await store::Shard::control().enter();
}

Task<std::size_t> OrphanSearch::run() {
  while (next_folder_ < kFolders && !is_stopped_) {
    co_await list_round();
    if (files_.empty() || is_stopped_) continue;
    std::ranges::sort(files_);
    is_named_.assign(files_.size(), false);
    co_await visit_all_shards();
    co_await strike_named();
    co_await visit_all_shards();  // removals that the view held may have been waiting for their commit
    co_await remove_left();
  }
  if (removed_ > 0) log::info("removed files that no object names", {{"files", removed_}, {"bytes", removed_bytes_}});
  co_return removed_;
}

Task<void> OrphanSearch::list_round() {
  files_.clear();
  for (; next_folder_ < kFolders && files_.size() < pace_.round_max && !is_stopped_; ++next_folder_) {
    const std::unique_ptr<DIR, CloseFolder> folder(::opendir(fmt::format("{}/{:02x}", data_.path(), next_folder_).c_str()));
    if (!folder) continue;
    while (const dirent* entry = ::readdir(folder.get())) {
      const std::string_view name = entry->d_name;
      const auto raw = name.size() == kIdLength ? hex_decode(name) : std::nullopt;
      if (raw) std::memcpy(files_.emplace_back().data(), raw->data(), raw->size());
      co_await pause();
      if (is_stopped_) co_return;
    }
  }
}

Task<void> OrphanSearch::strike_named() {
  if (is_stopped_) co_return;
  records_ = kv_.cursor();
  for (const char space : {'O', 'P'}) {
    const std::string prefix(1, space);
    for (records_->seek(prefix); records_->valid() && records_->key().starts_with(prefix); records_->next()) {
      strike(records_->key(), records_->value());
      co_await pause();
      if (is_stopped_) co_return;
    }
  }
  records_.reset();
}

void OrphanSearch::strike(std::string_view key, std::string_view value) {
  std::optional<std::vector<Segment>> segments;
  if (key.front() == 'P') {
    if (auto part = read_part(value)) segments = std::move(part->segments);
  } else if (const auto object = read_object(value)) {
    segments = all_segments(*object);
  }
  if (!segments) {
    log::error("a record of an object cannot be read: files without a record are left", {});
    is_stopped_ = true;  // it may name any of them
    return;
  }
  for (const Segment& segment : *segments) strike(segment);
  done_in_slice_ += segments->size();  // thousands, in objects of many parts
}

void OrphanSearch::strike(const Segment& segment) {
  if (segment.is_inline) return;
  const auto raw = hex_decode(segment.id);
  Id id{};
  if (!raw || raw->size() != id.size()) return;
  std::memcpy(id.data(), raw->data(), id.size());
  const auto found = std::ranges::lower_bound(files_, id);
  if (found != files_.end() && *found == id) is_named_[static_cast<std::size_t>(found - files_.begin())] = true;
}

Task<void> OrphanSearch::remove_left() {
  for (std::size_t i = 0; i < files_.size() && !is_stopped_; ++i) {
    if (is_named_[i]) continue;
    if (remove(files_[i])) ++removed_;
    co_await pause();
  }
}

bool OrphanSearch::remove(const Id& id) {
  const std::string path = data_.path_of({.id = hex_encode(std::string_view(id.data(), id.size()))});
  struct stat file{};
  // The time of change, and not of modification: a copy's file is another name of what was written long ago.
  if (::lstat(path.c_str(), &file) != 0 || !S_ISREG(file.st_mode) || time_of(file.st_ctim) >= began_) return false;
  if (::unlink(path.c_str()) != 0) return false;
  removed_bytes_ += static_cast<std::uint64_t>(file.st_size);
  return true;
}

}  // namespace reef::blob
