// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html
#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "service/s3/object_headers.h"
#include "service/s3/operations/operations.h"

namespace reef::s3::operations {
namespace {

constexpr std::int32_t kListMax = 1000;

Reply<std::size_t> list_limit(const std::optional<std::int32_t>& wanted, const char* name) {
  if (wanted && *wanted < 0)
    return Err(invalid_argument(std::string("Argument ") + name + " must be an integer between 0 and 2147483647", name,
                                std::to_string(*wanted)));
  return static_cast<std::size_t>(std::min(wanted.value_or(kListMax), kListMax));
}

Reply<bool> wants_url(const std::optional<std::string>& encoding_type) {
  if (!encoding_type) return false;
  if (*encoding_type != "url") return Err(invalid_argument("Invalid Encoding Method specified in Request", "encoding-type", *encoding_type));
  return true;
}

// S3 leaves slashes as they are in listings.
std::string shown(std::string_view text, bool as_url) { return as_url ? replace_all(percent_encode(text, true), "%20", "+") : std::string(text); }

template <class Entry>
void fill_entry(const blob::Listed& listed, bool as_url, Entry& entry) {
  entry.key = shown(listed.key, as_url);
  entry.last_modified = listed.object.modified;
  entry.etag = quoted(listed.object.etag);
  entry.size = static_cast<std::int64_t>(listed.object.size);
  entry.storage_class = property_of(listed.object.properties, property::kStorageClass).value_or("STANDARD");
  if (const auto algorithm = property_of(listed.object.properties, property::kChecksum)) {
    entry.checksum_algorithm = std::vector<std::string>{*algorithm};
    entry.checksum_type = property_of(listed.object.properties, property::kChecksumType).value_or("FULL_OBJECT");
  }
}

template <class Out>
void fill_groups(const blob::ListPage& page, bool as_url, Out& out) {
  for (const std::string& group : page.groups) {
    if (!out.common_prefixes) out.common_prefixes.emplace();
    out.common_prefixes->push_back({shown(group, as_url)});
  }
}

blob::ListPage list_page(S3& s3, const blob::ListRequest& request) {
  if (request.limit == 0) return {};
  return s3.blobs.list(request);
}

}  // namespace

Task<Reply<model::ListObjectsOutput>> list_objects(S3& s3, const model::ListObjectsInput& in, const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  const bool as_url = CO_TRY(wants_url(in.encoding_type));
  blob::ListRequest request{.bucket = bucket, .prefix = in.prefix.value_or(""), .delimiter = in.delimiter.value_or(""),
                            .after = in.marker.value_or("")};
  request.limit = CO_TRY(list_limit(in.max_keys, "max-keys"));
  const blob::ListPage page = list_page(s3, request);
  model::ListObjectsOutput out;
  out.name = in.bucket;
  out.prefix = shown(request.prefix, as_url);
  out.marker = shown(request.after, as_url);
  out.max_keys = in.max_keys.value_or(kListMax);
  if (in.delimiter && !in.delimiter->empty()) out.delimiter = shown(*in.delimiter, as_url);
  out.encoding_type = in.encoding_type;
  out.is_truncated = page.is_truncated;
  // Without a delimiter the last key tells; with one only this does.
  if (page.is_truncated && out.delimiter) out.next_marker = shown(page.next, as_url);
  for (const blob::Listed& listed : page.entries) {
    if (!out.contents) out.contents.emplace();
    fill_entry(listed, as_url, out.contents->emplace_back());
    out.contents->back().owner = owner_of(bucket->account);
  }
  fill_groups(page, as_url, out);
  co_return out;
}

Task<Reply<model::ListObjectsV2Output>> list_objects_v2(S3& s3, const model::ListObjectsV2Input& in, const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  const bool as_url = CO_TRY(wants_url(in.encoding_type));
  blob::ListRequest request{.bucket = bucket, .prefix = in.prefix.value_or(""), .delimiter = in.delimiter.value_or(""),
                            .after = in.start_after.value_or("")};
  request.limit = CO_TRY(list_limit(in.max_keys, "max-keys"));
  if (in.continuation_token) {
    const auto token = base64_decode(*in.continuation_token);
    if (!token || token->empty() || (token->front() != 'k' && token->front() != 'g'))
      co_return Err(invalid_argument("The continuation token provided is incorrect", "continuation-token", *in.continuation_token));
    request.after_group = token->front() == 'g';
    request.after = token->substr(1);
  }
  const blob::ListPage page = list_page(s3, request);
  model::ListObjectsV2Output out;
  out.name = in.bucket;
  out.prefix = shown(request.prefix, as_url);
  out.max_keys = in.max_keys.value_or(kListMax);
  if (in.delimiter && !in.delimiter->empty()) out.delimiter = shown(*in.delimiter, as_url);
  out.encoding_type = in.encoding_type;
  out.continuation_token = in.continuation_token;
  if (in.start_after && !in.continuation_token) out.start_after = shown(*in.start_after, as_url);
  out.is_truncated = page.is_truncated;
  out.key_count = static_cast<std::int32_t>(page.entries.size() + page.groups.size());
  if (page.is_truncated) out.next_continuation_token = base64_encode((page.next_is_group ? "g" : "k") + page.next);
  for (const blob::Listed& listed : page.entries) {
    if (!out.contents) out.contents.emplace();
    fill_entry(listed, as_url, out.contents->emplace_back());
    if (in.fetch_owner.value_or(false)) out.contents->back().owner = owner_of(bucket->account);
  }
  fill_groups(page, as_url, out);
  co_return out;
}

Task<Reply<model::ListObjectVersionsOutput>> list_object_versions(S3& s3, const model::ListObjectVersionsInput& in,
                                                                  const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  const bool as_url = CO_TRY(wants_url(in.encoding_type));
  blob::ListRequest request{.bucket = bucket, .prefix = in.prefix.value_or(""), .delimiter = in.delimiter.value_or(""),
                            .after = in.key_marker.value_or(""), .after_version = in.version_id_marker.value_or(""),
                            .all_versions = true};
  if (!request.after_version.empty() && request.after.empty())
    co_return Err(invalid_argument("A version-id marker cannot be specified without a key marker.", "version-id-marker",
                                   request.after_version));
  request.limit = CO_TRY(list_limit(in.max_keys, "max-keys"));
  const blob::ListPage page = list_page(s3, request);
  model::ListObjectVersionsOutput out;
  out.name = in.bucket;
  out.prefix = shown(request.prefix, as_url);
  out.key_marker = shown(request.after, as_url);
  out.version_id_marker = request.after_version;
  out.max_keys = in.max_keys.value_or(kListMax);
  if (in.delimiter && !in.delimiter->empty()) out.delimiter = shown(*in.delimiter, as_url);
  out.encoding_type = in.encoding_type;
  out.is_truncated = page.is_truncated;
  if (page.is_truncated) {
    out.next_key_marker = shown(page.next, as_url);
    if (!page.next_is_group) out.next_version_id_marker = page.next_version;
  }
  for (const blob::Listed& listed : page.entries) {
    if (listed.object.is_delete_marker) {
      if (!out.delete_markers) out.delete_markers.emplace();
      out.delete_markers->push_back({.owner = owner_of(bucket->account),
                                     .key = shown(listed.key, as_url),
                                     .version_id = listed.object.version_id,
                                     .is_latest = listed.is_latest,
                                     .last_modified = listed.object.modified});
      continue;
    }
    if (!out.versions) out.versions.emplace();
    model::ObjectVersion& version = out.versions->emplace_back();
    fill_entry(listed, as_url, version);
    version.version_id = listed.object.version_id;
    version.is_latest = listed.is_latest;
    version.owner = owner_of(bucket->account);
  }
  fill_groups(page, as_url, out);
  co_return out;
}

}  // namespace reef::s3::operations
