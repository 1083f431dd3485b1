// The blob engine: buckets of objects with versions, uploads in parts, and ordered listings.
//
// Always true: changes to a bucket's objects run one at a time on the shard that owns the bucket; an object's record
// and its inline bytes change in one batch, and its files are in place before that batch; files of what was replaced
// go after the batch is committed. Reads go to the key-value store from any shard.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "base/published.h"
#include "base/result.h"
#include "base/task.h"
#include "base/text.h"
#include "engine/blob/data.h"
#include "engine/blob/orphans.h"
#include "engine/blob/records.h"
#include "engine/store/kv.h"
#include "engine/store/shard.h"

namespace reef::blob {

enum class Refusal {
  kNoSuchBucket,
  kBucketExists,
  kBucketNotEmpty,
  kNoSuchKey,
  kNoSuchVersion,
  kNoSuchUpload,
  kPreconditionFailed,
  kProtected,
  kConflict,  // what a precondition is about was written while the upload went on
};

// Conditions on what is there when a write happens.
struct Precondition {
  bool must_be_absent = false;
  std::optional<std::string> etag;  // the current object must have it ("*": any)
  bool is_any() const { return must_be_absent || etag; }
  std::function<bool(const Object&)> allows;  // erasing a version for good, or changing it; else kProtected
};

struct PutRequest {
  BucketPtr bucket;
  std::string key;
  Object object;       // without version, sequence and segments
  std::vector<NewData> data;  // finished, in order; none for objects made of parts
  Precondition precondition;
  std::string upload_id;  // the upload that ends with this, or ""
};

struct Erased {
  bool existed = false;
  bool is_delete_marker = false;  // a marker was made, or the version removed was one
  std::string version_id;         // of the marker made or the version removed; "" when there is none to tell
};

struct ListRequest {
  BucketPtr bucket;
  std::string prefix, delimiter;
  std::string after;              // keys greater than this
  bool after_group = false;       // `after` is a common prefix that was given already
  std::string after_version;      // all_versions: versions of `after` older than this one, too; it may be gone
  std::size_t limit = 1000;
  bool all_versions = false;
};
struct Listed {
  std::string key;
  Object object;
  bool is_latest = true;
};
struct ListPage {
  std::vector<Listed> entries;
  std::vector<std::string> groups;  // common prefixes
  bool is_truncated = false;
  std::string next;                 // the last key or group of this page
  bool next_is_group = false;
  std::string next_version;
};

struct UploadPage {
  std::vector<Upload> uploads;
  std::vector<std::string> groups;
  bool is_truncated = false;
};

// Whether some version may have this id; of those of old data folders it cannot tell.
bool is_version_id(std::string_view id);

class Blobs {
 public:
  // Files lie under `folder`.
  Blobs(store::Kv& kv, std::string folder, store::Durability durability);
  ~Blobs();
  // On the control shard, after the store was recovered.
  void start();
  void reset();  // on the control shard, when the stores are wiped: forgets everything, files too
  // Looks for files that a crash left without a record, once, after `delay` of real time. On the control shard.
  void remove_orphans_after(Duration delay);
  void stop();  // on the control shard: gives up the search, which holds on to the store

  // Any thread; names are global.
  BucketPtr find_bucket(std::string_view name) const;
  std::vector<BucketPtr> buckets(std::string_view account) const;  // by name; of every account with an empty one
  Task<Result<BucketPtr, Refusal>> create_bucket(Bucket bucket);
  Task<Result<void, Refusal>> remove_bucket(std::string name);
  Task<Result<BucketPtr, Refusal>> change_bucket(std::string name, std::function<void(Bucket&)> edit);

  DataFolder& data() { return data_; }
  // The newest version, or the one named; delete markers too.
  std::optional<Object> find(const Bucket& bucket, std::string_view key, const std::optional<std::string>& version = {}) const;
  // Gives the object as it was stored.
  Task<Result<Object, Refusal>> put(PutRequest request);
  Task<Result<Erased, Refusal>> erase(BucketPtr bucket, std::string key, std::optional<std::string> version,
                                      Precondition precondition = {});
  // Changes the properties of a version in place.
  Task<Result<Object, Refusal>> change(BucketPtr bucket, std::string key, std::optional<std::string> version,
                                       std::function<void(Object&)> edit, std::function<bool(const Object&)> allows = {});
  ListPage list(const ListRequest& request) const;

  Task<Result<Upload, Refusal>> start_upload(BucketPtr bucket, std::string key, Properties properties);
  std::optional<Upload> find_upload(const Bucket& bucket, std::string_view key, std::string_view id) const;
  Task<Result<Part, Refusal>> put_part(BucketPtr bucket, std::string key, std::string upload_id, Part part, NewData data);
  std::vector<Part> parts(std::string_view upload_id) const;
  Task<Result<void, Refusal>> abort_upload(BucketPtr bucket, std::string key, std::string id);
  UploadPage uploads(const ListRequest& request) const;  // after_version: an upload id

 private:
  struct Snapshot;
  static Task<void> search(std::shared_ptr<OrphanSearch> orphans);
  void publish();
  std::shared_ptr<const Snapshot> snapshot() const;
  static store::Shard& owner_of(const Bucket& bucket);
  // On the owner: the bucket as it is now, or nothing when it is gone.
  BucketPtr current(const Bucket& bucket) const;
  bool is_closed(const Bucket& bucket) const;
  Task<Result<void, Refusal>> close_if_empty(const Bucket& bucket);
  void erase_version(const Bucket& bucket, std::string_view key, const Object& object, store::KvBatch& batch,
                     std::vector<Segment>& gone) const;
  std::optional<Object> find_null_version(const Bucket& bucket, std::string_view key) const;
  void end_upload(const Bucket& bucket, std::string_view key, std::string_view id, const std::vector<Part>& kept,
                  store::KvBatch& batch, std::vector<Segment>& gone) const;

  std::uint64_t order_of_upload(Time now);

  store::Kv& kv_;
  DataFolder data_;
  TextMap<BucketPtr> buckets_;  // control shard only
  std::vector<std::unordered_set<std::uint64_t>> closed_;  // by shard, touched only there: its buckets that are being removed
  std::atomic<std::uint64_t> version_{0}, last_upload_{0};
  Published<Snapshot> snapshot_;
  const Time began_ = file_time_now();
  std::shared_ptr<OrphanSearch> orphans_;  // control shard only
};

}  // namespace reef::blob
