// Finds the files that no record names, and removes them. A crash leaves some: between placing a file and committing
// the record that names it, and between committing the removal of a record and removing its file.
//
// Always true: what is removed was in place before this process began and was named by no record in one view of all of
// them, taken after the file was seen, and everything that view held is on the disk by then. Records never begin to
// name a file that they did not name before: a copy gets files of its own.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/task.h"
#include "base/time.h"
#include "engine/blob/data.h"
#include "engine/store/kv.h"

namespace reef::blob {

// How much of its loop the search takes: so many names or records, then so long a pause, in real time.
struct OrphanPace {
  Duration pause = 1ms;  // 0: the next tick
  std::size_t slice = 256;
  std::size_t round_max = 1 << 20;  // files looked at together; each round walks all records
};

class OrphanSearch {
 public:
  // Files that changed at or after `began` (by the file system's clock) are left alone.
  OrphanSearch(store::Kv& kv, const DataFolder& data, Time began, OrphanPace pace = {})
      : kv_(kv), data_(data), began_(began), pace_(pace) {}

  // On the control shard. Gives the number of files that were removed.
  Task<std::size_t> run();
  // Gives up, and lets go of the store at once; on the control shard.
  void stop();

 private:
  using Id = std::array<char, 16>;

  Task<void> pause();
  Task<void> visit_all_shards();
  Task<void> list_round();
  Task<void> strike_named();
  void strike(std::string_view key, std::string_view value);
  void strike(const Segment& segment);
  Task<void> remove_left();
  bool remove(const Id& id);

  store::Kv& kv_;
  const DataFolder& data_;
  const Time began_;
  const OrphanPace pace_;
  bool is_stopped_ = false;
  unsigned next_folder_ = 0;      // of 256
  std::vector<Id> files_;         // of this round, sorted once it is listed
  std::vector<bool> is_named_;    // by position in files_
  std::unique_ptr<store::KvCursor> records_;
  std::size_t done_in_slice_ = 0, removed_ = 0;
  std::uint64_t removed_bytes_ = 0;
};

// The time by which the file system stamps what is written now.
Time file_time_now();

}  // namespace reef::blob
