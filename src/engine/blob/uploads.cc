// Blobs: uploads in parts.
#include <algorithm>

#include "base/check.h"
#include "base/random.h"
#include "engine/blob/blobs.h"

namespace reef::blob {
namespace {

constexpr std::size_t kUploadIdLength = 96, kOrderLength = 11;
// In order of their bytes.
constexpr const char* kOrderAlphabet = ".0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
constexpr const char* kUploadIdAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";

// Uploads of a key are listed in the order of their beginning: ids sort as `order` does.
std::string make_upload_id(std::uint64_t order, Random& random) {
  std::string id = make_token(random, kUploadIdLength - kOrderLength, kUploadIdAlphabet);
  for (std::size_t i = 0; i < kOrderLength; ++i, order >>= 6) id.insert(id.begin(), kOrderAlphabet[order & 63]);
  return id;
}

}  // namespace

Task<Result<Upload, Refusal>> Blobs::start_upload(BucketPtr named, std::string key, Properties properties) {
  store::Shard& home = store::Shard::current();
  store::Shard& owner = owner_of(*named);
  co_await owner.enter();
  Result<Upload, Refusal> result = Err(Refusal::kNoSuchBucket);
  if (const BucketPtr bucket = current(*named)) {
    Upload upload;
    upload.id = make_upload_id(order_of_upload(owner.now()), owner.random());
    upload.key = key;
    upload.started = owner.now();
    upload.properties = std::move(properties);
    kv_.put(upload_key(bucket->id, key, upload.id), upload_bytes(upload));
    co_await owner.committed();
    result = std::move(upload);
  }
  co_await home.enter();
  co_return result;
}

// Greater than any before, also when the clock stands.
std::uint64_t Blobs::order_of_upload(Time now) {
  std::uint64_t last = last_upload_.load(), next = 0;
  do next = std::max<std::uint64_t>(last + 1, static_cast<std::uint64_t>(to_micros(now)));
  while (!last_upload_.compare_exchange_weak(last, next));
  return next;
}

std::optional<Upload> Blobs::find_upload(const Bucket& bucket, std::string_view key, std::string_view id) const {
  const auto stored = kv_.get(upload_key(bucket.id, key, id));
  return stored ? read_upload(*stored) : std::nullopt;
}

Task<Result<Part, Refusal>> Blobs::put_part(BucketPtr named, std::string key, std::string upload_id, Part part, NewData data) {
  store::Shard& home = store::Shard::current();
  store::Shard& owner = owner_of(*named);
  co_await owner.enter();
  Result<Part, Refusal> result = Err(Refusal::kNoSuchUpload);
  if (const BucketPtr bucket = current(*named); bucket && find_upload(*bucket, key, upload_id)) {
    store::KvBatch batch;
    std::vector<Segment> gone;
    const std::string at = part_key(upload_id, part.number);
    if (const auto stored = kv_.get(at))
      if (const auto replaced = read_part(*stored)) {
        data_.erase(replaced->segments, batch);
        gone = replaced->segments;
      }
    part.segments = {data.commit(batch)};
    batch.put(at, part_bytes(part));
    kv_.write(batch);
    co_await owner.committed();
    data_.remove_files(gone);
    result = std::move(part);
  }
  co_await home.enter();
  co_return result;
}

std::vector<Part> Blobs::parts(std::string_view upload_id) const {
  std::vector<Part> out;
  const std::string prefix = part_prefix(upload_id);
  const auto cursor = kv_.cursor();
  for (cursor->seek(prefix); cursor->valid() && cursor->key().starts_with(prefix); cursor->next()) {
    auto part = read_part(cursor->value());
    CHECK(part.has_value());
    out.push_back(*std::move(part));
  }
  return out;
}

// Erases the upload and every part of it that is not among `kept`.
void Blobs::end_upload(const Bucket& bucket, std::string_view key, std::string_view id, const std::vector<Part>& kept,
                       store::KvBatch& batch, std::vector<Segment>& gone) const {
  batch.erase(upload_key(bucket.id, key, id));
  for (const Part& part : parts(id)) {
    batch.erase(part_key(id, part.number));
    const bool is_kept = std::ranges::any_of(kept, [&](const Part& one) { return one.segments == part.segments; });
    if (is_kept) continue;
    data_.erase(part.segments, batch);
    gone.insert(gone.end(), part.segments.begin(), part.segments.end());
  }
}

Task<Result<void, Refusal>> Blobs::abort_upload(BucketPtr named, std::string key, std::string id) {
  store::Shard& home = store::Shard::current();
  store::Shard& owner = owner_of(*named);
  co_await owner.enter();
  Result<void, Refusal> result = Err(Refusal::kNoSuchUpload);
  if (const BucketPtr bucket = current(*named); bucket && find_upload(*bucket, key, id)) {
    store::KvBatch batch;
    std::vector<Segment> gone;
    end_upload(*bucket, key, id, {}, batch, gone);
    kv_.write(batch);
    co_await owner.committed();
    data_.remove_files(gone);
    result = {};
  }
  co_await home.enter();
  co_return result;
}

UploadPage Blobs::uploads(const ListRequest& request) const {
  UploadPage page;
  const std::string bucket = bucket_prefix('U', request.bucket->id);
  std::string from = bucket;
  append_escaped(from, request.prefix);
  const std::string end = after_prefix(from);
  if (!request.after.empty()) {
    std::string start = bucket;
    append_ended(start, request.after);
    start = request.after_version.empty() ? after_prefix(start) : start + request.after_version + '\0';
    from = std::max(from, start);
  }
  const auto cursor = kv_.cursor();
  for (cursor->seek(from); cursor->valid() && cursor->key() < end; cursor->next()) {
    auto upload = read_upload(cursor->value());
    CHECK(upload.has_value());
    if (!request.delimiter.empty()) {
      const auto at = upload->key.find(request.delimiter, request.prefix.size());
      if (at != std::string::npos) {
        std::string group = upload->key.substr(0, at + request.delimiter.size());
        const bool is_passed = !request.after.empty() && request.after.starts_with(group);
        if (is_passed || (!page.groups.empty() && page.groups.back() == group)) continue;
        if (page.uploads.size() + page.groups.size() >= request.limit) {
          page.is_truncated = true;
          break;
        }
        page.groups.push_back(std::move(group));
        continue;
      }
    }
    if (page.uploads.size() + page.groups.size() >= request.limit) {
      page.is_truncated = true;
      break;
    }
    page.uploads.push_back(*std::move(upload));
  }
  return page;
}

}  // namespace reef::blob
