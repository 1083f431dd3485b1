// Blobs: buckets, in the control shard's records, published to every thread as a snapshot.
#include <algorithm>
#include <map>

#include "base/bytes.h"
#include "base/check.h"
#include "engine/blob/blobs.h"
#include "engine/store/records.h"

namespace reef::blob {
namespace {

constexpr std::string_view kRecordPrefix = "s3/bucket/";
constexpr std::string_view kSequenceRecord = "s3/sequence";

std::string record_key(std::string_view name) { return std::string(kRecordPrefix).append(name); }

std::uint64_t next_id(store::Records& records) {
  std::uint64_t last = 0;
  if (const std::string* stored = records.find(kSequenceRecord)) last = ByteReader(*stored).fixed<std::uint64_t>();
  std::string bytes;
  ByteWriter(bytes).fixed(last + 1);
  records.put(kSequenceRecord, std::move(bytes));
  return last + 1;
}

}  // namespace

struct Blobs::Snapshot {
  std::map<std::string, BucketPtr, std::less<>> by_name;
};

Blobs::Blobs(store::Kv& kv, std::string folder, store::Durability durability)
    : kv_(kv), data_(kv, std::move(folder), durability) {}
Blobs::~Blobs() = default;

void Blobs::start() {
  closed_.resize(store::Shard::count());
  data_.start();
  store::Shard::control().records().scan(kRecordPrefix, [&](std::string_view key, const std::string& bytes) {
    auto bucket = read_bucket(bytes);
    CHECK(bucket.has_value());
    buckets_.emplace(key.substr(kRecordPrefix.size()), std::make_shared<Bucket>(*std::move(bucket)));
    return true;
  });
  publish();
}

void Blobs::remove_orphans_after(Duration delay) {
  orphans_ = std::make_shared<OrphanSearch>(kv_, data_, began_);
  store::Shard::control().reactor().after(delay, [orphans = orphans_] { search(orphans).detach(); });
}

Task<void> Blobs::search(std::shared_ptr<OrphanSearch> orphans) { co_await orphans->run(); }

void Blobs::stop() {
  if (orphans_) orphans_->stop();
}

void Blobs::reset() {
  stop();
  buckets_.clear();
  publish();
  data_.wipe();
}

void Blobs::publish() {
  auto next = std::make_shared<Snapshot>();
  next->by_name.insert(buckets_.begin(), buckets_.end());
  snapshot_.store(std::move(next));
  // Never the version of other Blobs, which may have lived at this address.
  static std::atomic<std::uint64_t> last_version{0};
  version_.store(last_version.fetch_add(1) + 1, std::memory_order_release);
}

std::shared_ptr<const Blobs::Snapshot> Blobs::snapshot() const {
  struct Seen {
    const Blobs* blobs = nullptr;
    std::uint64_t version = 0;
    std::shared_ptr<const Snapshot> snapshot;
  };
  thread_local Seen seen;
  const std::uint64_t version = version_.load(std::memory_order_acquire);
  if (seen.blobs != this || seen.version != version || !seen.snapshot) seen = {this, version, snapshot_.load()};
  return seen.snapshot;
}

BucketPtr Blobs::find_bucket(std::string_view name) const {
  const auto now = snapshot();
  const auto found = now->by_name.find(name);
  return found == now->by_name.end() ? nullptr : found->second;
}

std::vector<BucketPtr> Blobs::buckets(std::string_view account) const {
  std::vector<BucketPtr> out;
  for (const auto& [name, bucket] : snapshot()->by_name)
    if (account.empty() || bucket->account == account) out.push_back(bucket);
  return out;
}

store::Shard& Blobs::owner_of(const Bucket& bucket) {
  return store::Shard::owner_of("s3/" + std::to_string(bucket.id));
}

BucketPtr Blobs::current(const Bucket& bucket) const {
  BucketPtr now = find_bucket(bucket.name);
  return now && now->id == bucket.id && !is_closed(bucket) ? now : nullptr;
}

Task<Result<BucketPtr, Refusal>> Blobs::create_bucket(Bucket bucket) {
  store::Shard& home = store::Shard::current();
  store::Shard& control = store::Shard::control();
  co_await control.enter();
  Result<BucketPtr, Refusal> result = Err(Refusal::kBucketExists);
  if (!buckets_.contains(bucket.name)) {
    bucket.id = next_id(control.records());
    const std::string name = bucket.name;
    control.records().put(record_key(name), bucket_bytes(bucket));
    result = buckets_[name] = std::make_shared<Bucket>(std::move(bucket));
    co_await control.committed();
    publish();
  }
  co_await home.enter();
  co_return result;
}

Task<Result<BucketPtr, Refusal>> Blobs::change_bucket(std::string name, std::function<void(Bucket&)> edit) {
  store::Shard& home = store::Shard::current();
  store::Shard& control = store::Shard::control();
  co_await control.enter();
  Result<BucketPtr, Refusal> result = Err(Refusal::kNoSuchBucket);
  if (const auto found = buckets_.find(name); found != buckets_.end()) {
    auto next = std::make_shared<Bucket>(*found->second);
    edit(*next);
    control.records().put(record_key(name), bucket_bytes(*next));
    result = found->second = next;
    co_await control.committed();
    publish();
  }
  co_await home.enter();
  co_return result;
}

// The owner shard closes the bucket when it finds it empty; whoever comes there later finds it gone, and only then
// does it go from the catalogue: its name is free when nothing of it is left.
Task<Result<void, Refusal>> Blobs::remove_bucket(std::string name) {
  store::Shard& home = store::Shard::current();
  store::Shard& control = store::Shard::control();
  co_await control.enter();
  Result<void, Refusal> result = Err(Refusal::kNoSuchBucket);
  if (const auto found = buckets_.find(name); found != buckets_.end()) {
    const BucketPtr bucket = found->second;
    store::Shard& owner = owner_of(*bucket);
    co_await owner.enter();
    const bool was_closed = is_closed(*bucket);
    if (!was_closed) result = co_await close_if_empty(*bucket);
    if (result) {
      co_await control.enter();
      control.records().erase(record_key(name));
      buckets_.erase(name);
      co_await control.committed();
      publish();
      co_await owner.enter();
      closed_[owner.index()].erase(bucket->id);
    }
  }
  co_await home.enter();
  co_return result;
}

bool Blobs::is_closed(const Bucket& bucket) const { return closed_[store::Shard::current().index()].contains(bucket.id); }

// On the owner. Uploads that go on are aborted.
Task<Result<void, Refusal>> Blobs::close_if_empty(const Bucket& bucket) {
  store::Shard& owner = store::Shard::current();
  const std::string prefix = bucket_prefix('O', bucket.id);
  {
    const auto cursor = kv_.cursor();
    cursor->seek(prefix);
    if (cursor->valid() && cursor->key().starts_with(prefix)) co_return Err(Refusal::kBucketNotEmpty);
  }
  closed_[owner.index()].insert(bucket.id);
  store::KvBatch batch;
  std::vector<Segment> gone;
  for (const Upload& upload : uploads({.bucket = std::make_shared<Bucket>(bucket), .limit = SIZE_MAX}).uploads)
    end_upload(bucket, upload.key, upload.id, {}, batch, gone);
  kv_.write(batch);
  co_await owner.committed();
  data_.remove_files(gone);
  co_return Result<void, Refusal>();
}

}  // namespace reef::blob
