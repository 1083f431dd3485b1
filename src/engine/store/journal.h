// A segmented append log, one per shard: what is in it survives the process. Records are appended to a batch in
// memory and written once per tick (group commit); a torn tail is cut off at recovery, anything else that is
// damaged refuses to start. docs/files.md describes the bytes.
//
// Always true:
// - A record that `commit` returned for is found by every later recovery.
// - Recovery = the newest checkpoint, then every record after it, in the order of appending.
// - A segment is deleted only when a durable checkpoint covers it and no user still reads records from it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "engine/store/shard.h"
#include "io/socket.h"

namespace reef::store {

// Where a record is.
struct RecordRef {
  std::uint32_t segment = 0;
  std::uint32_t offset = 0;  // of the record's header in its segment
  std::uint32_t size = 0;    // of the payload
};

// A state machine whose changes are records.
class JournalUser {
 public:
  virtual ~JournalUser() = default;
  // Takes the change in again, in the original order. `payload` is only valid during the call.
  virtual void replay(std::string_view payload, RecordRef at) = 0;
  // The whole state, appended to `out`; `load` gets the same bytes back. False: the bytes make no sense.
  virtual void save(std::string& out) = 0;
  virtual bool load(std::string_view bytes) = 0;
  // Back to the state before any record: used by reset.
  virtual void clear() = 0;
  // The oldest segment that it will still read records from.
  virtual std::uint32_t oldest_segment_needed() const { return UINT32_MAX; }
};

class Journal final : public Committer {
 public:
  static constexpr std::uint32_t kSegmentBytes = 64u << 20;
  static constexpr std::size_t kRecordHeaderBytes = 9;

  // Creates the folder when missing. Fails clearly on an unknown format version.
  static Result<std::unique_ptr<Journal>, Failure> open(std::string folder, Durability durability);
  ~Journal() override;

  // Before recover(): `kind` is written in each of the user's records and must never change.
  void attach(std::uint8_t kind, JournalUser& user);
  // Loads the newest checkpoint and replays what came after.
  Result<void, Failure> recover();
  // Set after recovery, so that appends can mark their shard dirty.
  void set_shard(Shard* shard) { shard_ = shard; }

  RecordRef append(std::uint8_t kind, std::string_view payload);
  // The payload of a record, committed or not. Aborts when the bytes are damaged.
  std::string read(RecordRef at) const;
  void commit() override;

  // Writes a checkpoint when enough was appended since the last one; called now and then by the shard. The state
  // is serialised here and written by a background thread.
  void checkpoint_if_due();
  // Writes one now and waits for it; on a clean stop, so that the next start replays nothing.
  void checkpoint_now();
  // Forgets everything: state of the users included.
  void reset();

  std::uint64_t bytes_on_disk() const;
  std::uint32_t current_segment() const { return segment_; }

 private:
  Journal(std::string folder, Durability durability);
  struct CheckpointWrite;
  std::string segment_path(std::uint32_t segment) const;
  Result<void, Failure> open_segment(std::uint32_t segment);
  Result<void, Failure> load_checkpoint(std::uint32_t& replay_from);
  Result<void, Failure> replay_segment(std::uint32_t segment, bool is_last);
  void roll();
  void write_out(std::string_view bytes);
  std::string serialise_checkpoint();
  void delete_old_segments();
  void collect_checkpoint(bool wait);

  std::string folder_;
  Durability durability_;
  Shard* shard_ = nullptr;
  std::map<std::uint8_t, JournalUser*> users_;
  std::map<std::uint32_t, io::Fd> segments_;       // open for reading; the newest also for writing
  std::map<std::uint32_t, std::uint32_t> sizes_;   // bytes of each segment
  std::uint32_t segment_ = 0;                      // being written
  std::uint32_t written_ = 0;                      // bytes of it that reached the file
  std::uint32_t zeroed_ = 0;                       // power mode: pre-zeroed up to here
  std::string pending_;                            // appended and not yet written
  std::uint32_t checkpointed_segment_ = 0;         // a durable checkpoint covers all segments before it
  std::uint64_t appended_since_checkpoint_ = 0;
  std::uint64_t checkpoint_bytes_ = 0;             // size of the last one
  std::unique_ptr<CheckpointWrite> writing_;
};

}  // namespace reef::store
