// Blobs: object versions and listings.
#include <algorithm>

#include "base/check.h"
#include "base/digest.h"
#include "base/random.h"
#include "engine/blob/blobs.h"

namespace reef::blob {
namespace {

constexpr std::size_t kVersionIdLength = 32;
constexpr const char* kVersionIdAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._";

// A version's id begins with its sequence, so that its place is known when it is gone.
// And it ends with a check of the rest, so that one that never was is told from one that is gone.
constexpr std::size_t kSequenceLength = 11, kCheckLength = 5;

std::string digits_of(std::uint64_t number, std::size_t count) {
  std::string out(count, kVersionIdAlphabet[0]);
  for (std::size_t i = count; i > 0; --i, number >>= 6) out[i - 1] = kVersionIdAlphabet[number & 63];
  return out;
}
std::string check_of(std::string_view id) { return digits_of(crc32c(id), kCheckLength); }

std::string make_version_id(std::uint64_t sequence, Random& random) {
  std::string id = digits_of(sequence, kSequenceLength) +
                   make_token(random, kVersionIdLength - kSequenceLength - kCheckLength, kVersionIdAlphabet);
  return id + check_of(id);
}

std::optional<std::uint64_t> sequence_of(std::string_view version_id) {
  if (version_id.size() != kVersionIdLength) return std::nullopt;
  std::uint64_t sequence = 0;
  for (const char c : version_id.substr(0, kSequenceLength)) {
    const auto digit = std::string_view(kVersionIdAlphabet).find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    sequence = sequence << 6 | digit;
  }
  return sequence;
}

Object stored_object(std::string_view bytes) {
  auto object = read_object(bytes);
  CHECK(object.has_value());
  return *std::move(object);
}

// Calls `visit` for each version of a key, newest first, until it returns false.
template <class Visit>
void each_version(store::Kv& kv, const Bucket& bucket, std::string_view key, Visit visit) {
  const std::string prefix = object_prefix(bucket.id, key);
  const auto cursor = kv.cursor();
  for (cursor->seek(prefix); cursor->valid() && cursor->key().starts_with(prefix); cursor->next())
    if (!visit(stored_object(cursor->value()))) return;
}

bool holds(const Precondition& precondition, const std::optional<Object>& now) {
  const bool exists = now && !now->is_delete_marker;
  if (precondition.must_be_absent && exists) return false;
  if (!precondition.etag) return true;
  return exists && (*precondition.etag == "*" || *precondition.etag == now->etag);
}

}  // namespace

bool is_version_id(std::string_view id) {
  return id == "null" || (id.size() == kVersionIdLength && id.ends_with(check_of(id.substr(0, kVersionIdLength - kCheckLength))));
}

std::optional<Object> Blobs::find(const Bucket& bucket, std::string_view key, const std::optional<std::string>& version) const {
  std::optional<Object> found;
  each_version(kv_, bucket, key, [&](Object object) {
    if (version && object.version_id != *version) return true;
    found = std::move(object);
    return false;
  });
  return found;
}

std::optional<Object> Blobs::find_null_version(const Bucket& bucket, std::string_view key) const {
  return find(bucket, key, "null");
}

void Blobs::erase_version(const Bucket& bucket, std::string_view key, const Object& object, store::KvBatch& batch,
                          std::vector<Segment>& gone) const {
  batch.erase(object_key(bucket.id, key, object.sequence));
  const std::vector<Segment> segments = all_segments(object);
  data_.erase(segments, batch);
  gone.insert(gone.end(), segments.begin(), segments.end());
}

Task<Result<Object, Refusal>> Blobs::put(PutRequest request) {
  store::Shard& home = store::Shard::current();
  store::Shard& owner = owner_of(*request.bucket);
  co_await owner.enter();
  Result<Object, Refusal> result = Err(Refusal::kNoSuchBucket);
  if (const BucketPtr bucket = current(*request.bucket)) {
    const auto now = find(*bucket, request.key);
    const auto upload = request.upload_id.empty() ? std::nullopt : find_upload(*bucket, request.key, request.upload_id);
    if (!request.upload_id.empty() && !upload) {
      result = Err(Refusal::kNoSuchUpload);
    } else if (!holds(request.precondition, now)) {
      const bool exists = now && !now->is_delete_marker;
      result = Err(request.precondition.etag && !exists ? Refusal::kNoSuchKey : Refusal::kPreconditionFailed);
    } else if (upload && now && request.precondition.is_any() && now->sequence > static_cast<std::uint64_t>(to_micros(upload->started))) {
      result = Err(Refusal::kConflict);
    } else {
      store::KvBatch batch;
      std::vector<Segment> gone;
      Object object = std::move(request.object);
      object.sequence = std::max<std::uint64_t>(static_cast<std::uint64_t>(to_micros(owner.now())), now ? now->sequence + 1 : 0);
      object.version_id = bucket->versioning == Versioning::kEnabled
                              ? make_version_id(object.sequence, owner.random())
                              : "null";
      if (object.version_id == "null")
        if (const auto replaced = find_null_version(*bucket, request.key))
          erase_version(*bucket, request.key, *replaced, batch, gone);
      for (NewData& data : request.data) object.segments.push_back(data.commit(batch));
      if (!request.upload_id.empty()) end_upload(*bucket, request.key, request.upload_id, object.parts, batch, gone);
      batch.put(object_key(bucket->id, request.key, object.sequence), object_bytes(object));
      kv_.write(batch);
      co_await owner.committed();
      data_.remove_files(gone);
      result = std::move(object);
    }
  }
  co_await home.enter();
  co_return result;
}

Task<Result<Erased, Refusal>> Blobs::erase(BucketPtr named, std::string key, std::optional<std::string> version,
                                           Precondition precondition) {
  store::Shard& home = store::Shard::current();
  store::Shard& owner = owner_of(*named);
  co_await owner.enter();
  Result<Erased, Refusal> result = Err(Refusal::kNoSuchBucket);
  if (const BucketPtr bucket = current(*named)) {
    store::KvBatch batch;
    std::vector<Segment> gone;
    Erased erased;
    const auto now = find(*bucket, key, version);
    if (precondition.etag && !holds(precondition, now)) {
      result = Err(Refusal::kPreconditionFailed);
    } else if (version && now && precondition.allows && !precondition.allows(*now)) {
      result = Err(Refusal::kProtected);
    } else {
      erased.existed = now.has_value();
      if (version || bucket->versioning == Versioning::kOff) {
        if (now) {
          erase_version(*bucket, key, *now, batch, gone);
          erased.is_delete_marker = now->is_delete_marker;
        }
        if (version) erased.version_id = *version;
      } else {
        Object marker;
        marker.is_delete_marker = true;
        marker.modified = owner.now();
        marker.sequence = std::max<std::uint64_t>(static_cast<std::uint64_t>(to_micros(owner.now())), now ? now->sequence + 1 : 0);
        if (bucket->versioning == Versioning::kEnabled)
          marker.version_id = make_version_id(marker.sequence, owner.random());
        else if (const auto replaced = find_null_version(*bucket, key))
          erase_version(*bucket, key, *replaced, batch, gone);
        batch.put(object_key(bucket->id, key, marker.sequence), object_bytes(marker));
        erased.is_delete_marker = true;
        erased.version_id = marker.version_id;
      }
      if (!batch.empty()) kv_.write(batch);
      co_await owner.committed();
      data_.remove_files(gone);
      result = std::move(erased);
    }
  }
  co_await home.enter();
  co_return result;
}

Task<Result<Object, Refusal>> Blobs::change(BucketPtr named, std::string key, std::optional<std::string> version,
                                            std::function<void(Object&)> edit, std::function<bool(const Object&)> allows) {
  store::Shard& home = store::Shard::current();
  store::Shard& owner = owner_of(*named);
  co_await owner.enter();
  Result<Object, Refusal> result = Err(Refusal::kNoSuchBucket);
  if (const BucketPtr bucket = current(*named)) {
    auto object = find(*bucket, key, version);
    if (!object) {
      result = Err(version ? Refusal::kNoSuchVersion : Refusal::kNoSuchKey);
    } else if (object->is_delete_marker) {
      result = Err(Refusal::kNoSuchKey);
    } else if (allows && !allows(*object)) {
      result = Err(Refusal::kProtected);
    } else {
      edit(*object);
      kv_.put(object_key(bucket->id, key, object->sequence), object_bytes(*object));
      co_await owner.committed();
      result = *std::move(object);
    }
  }
  co_await home.enter();
  co_return result;
}

// Walks the bucket's keys, closing each group (common prefix) with one jump over everything in it.
ListPage Blobs::list(const ListRequest& request) const {
  ListPage page;
  const std::string bucket = bucket_prefix('O', request.bucket->id);
  std::string from = bucket;
  append_escaped(from, request.prefix);
  const std::string end = after_prefix(from);
  if (!request.after.empty()) {
    std::string start = bucket;
    if (request.after_group) {
      append_escaped(start, request.after);
      start = after_prefix(start);
    } else if (!request.after_version.empty()) {
      const auto last = find(*request.bucket, request.after, request.after_version);
      const auto sequence = last ? last->sequence : sequence_of(request.after_version);
      // A null version that is gone has no place any more: the key's others are given again rather than left out.
      start = sequence ? object_key(request.bucket->id, request.after, *sequence) + '\0' : object_prefix(request.bucket->id, request.after);
    } else {
      append_ended(start, request.after);
      start = after_prefix(start);
    }
    from = std::max(from, start);
  }
  const auto cursor = kv_.cursor();
  std::string previous_key;
  bool has_previous = false;
  for (cursor->seek(from); cursor->valid() && cursor->key() < end;) {
    const Name name = read_name(cursor->key().substr(kBucketPrefixBytes));
    if (!request.delimiter.empty()) {
      const auto at = name.text.find(request.delimiter, request.prefix.size());
      if (at != std::string::npos) {
        std::string group = name.text.substr(0, at + request.delimiter.size());
        // A group shows only when something in it does; a key marker inside a group has the group behind it.
        const bool was_given = !request.after_group && request.after.starts_with(group) && !request.after.empty();
        std::string jump = bucket;
        append_escaped(jump, group);
        const std::string behind = after_prefix(jump);
        bool shows = request.all_versions;
        for (; !shows && cursor->valid() && cursor->key() < behind;) {
          shows = !stored_object(cursor->value()).is_delete_marker;
          std::string next_key = bucket;
          append_ended(next_key, read_name(cursor->key().substr(kBucketPrefixBytes)).text);
          if (!shows) cursor->seek(after_prefix(next_key));
        }
        if (shows && !was_given) {
          if (page.entries.size() + page.groups.size() >= request.limit) {
            page.is_truncated = true;
            break;
          }
          page.next = group;
          page.next_is_group = true;
          page.next_version.clear();
          page.groups.push_back(std::move(group));
        }
        cursor->seek(behind);
        continue;
      }
    }
    Object object = stored_object(cursor->value());
    bool is_latest = !has_previous || previous_key != name.text;
    if (!has_previous && !request.after_version.empty() && name.text == request.after)  // the page before may have had newer ones
      is_latest = find(*request.bucket, name.text)->sequence == object.sequence;
    if (request.all_versions || (is_latest && !object.is_delete_marker)) {
      if (page.entries.size() + page.groups.size() >= request.limit) {
        page.is_truncated = true;
        break;
      }
      page.next = name.text;
      page.next_is_group = false;
      page.next_version = object.version_id;
      page.entries.push_back({name.text, std::move(object), is_latest});
    }
    previous_key = name.text;
    has_previous = true;
    if (request.all_versions) {
      cursor->next();
    } else {
      std::string next_key = bucket;
      append_ended(next_key, name.text);
      // Most keys have one version: a step is a fraction of a search.
      cursor->next();
      if (cursor->valid() && cursor->key().starts_with(next_key)) cursor->seek(after_prefix(next_key));
    }
  }
  return page;
}

}  // namespace reef::blob
