// The bytes of objects: small ones go to the key-value store together with their record, others to files that are
// written under a temporary name and renamed when their record is written.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/blob/records.h"
#include "engine/store/kv.h"
#include "engine/store/shard.h"

namespace reef::blob {

constexpr std::size_t kInlineBytesMax = 16 * 1024;

class DataFolder;

// Bytes on their way in, in one segment. Dropped unless they are committed.
class NewData {
 public:
  explicit NewData(DataFolder& folder) : folder_(&folder) {}
  NewData(NewData&& other) noexcept;
  NewData& operator=(NewData&& other) noexcept;
  ~NewData();

  Result<void, Failure> append(std::string_view bytes);
  std::uint64_t size() const { return size_; }
  // The file is complete and, for power-loss durability, on the disk.
  Result<void, Failure> finish();
  // Just before the record is written: moves the file to its place, or adds the bytes to the batch.
  Segment commit(store::KvBatch& batch);

 private:
  friend class DataFolder;
  void discard();
  DataFolder* folder_;
  std::string id_, buffered_;
  std::uint64_t size_ = 0;
  int fd_ = -1;
  bool has_file_ = false;
};

class DataFolder {
 public:
  DataFolder(store::Kv& kv, std::string path, store::Durability durability);
  void start();  // removes what was left half written
  void wipe();   // removes everything

  NewData writer() { return NewData(*this); }
  const std::string& path() const { return path_; }
  std::string path_of(const Segment& segment) const;
  std::string read_inline(const Segment& segment) const;
  // The bytes of a segment, piece by piece.
  using Visit = std::function<Result<void, Failure>(std::string_view)>;
  Result<void, Failure> read(const Segment& segment, std::uint64_t offset, std::uint64_t size, const Visit& visit) const;
  // The same bytes under a new name: a file is linked, not copied.
  Result<NewData, Failure> duplicate(const Segment& segment);
  // Adds inline bytes' removal to the batch; files go in `remove_files` after it was committed.
  void erase(const std::vector<Segment>& segments, store::KvBatch& batch) const;
  void remove_files(const std::vector<Segment>& segments) const;

 private:
  friend class NewData;
  // Renames the file of a finished segment to its place. Folders are made when first needed.
  bool place(const Segment& segment) const;
  int create_temporary(const std::string& id) const;
  std::string temporary_path(const std::string& id) const { return path_ + "/tmp/" + id; }
  store::Kv& kv_;
  std::string path_;
  store::Durability durability_;
};

// Every segment of an object, in order.
std::vector<Segment> all_segments(const Object& object);

}  // namespace reef::blob
