// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html
#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "service/s3/content.h"
#include "service/s3/notifications.h"
#include "service/s3/object_headers.h"
#include "service/s3/object_lock.h"
#include "service/s3/operations/operations.h"

namespace reef::s3::operations {
namespace {

struct CopySource {
  blob::BucketPtr bucket;
  std::string key;
  blob::Object object;
  std::optional<CustomerKey> customer_key;
};

// "bucket/key?versionId=x", percent-encoded, perhaps with a leading slash.
template <class In>
Reply<CopySource> find_source(S3& s3, const Call& call, const In& in) {
  std::string_view text = in.copy_source;
  std::optional<std::string> version;
  if (const auto at = text.find("?versionId="); at != std::string_view::npos) {
    version = percent_decode(text.substr(at + 11));
    text = text.substr(0, at);
  }
  const std::string decoded = percent_decode(text, true);  // some clients write spaces as forms do
  std::string_view path = decoded;
  if (path.starts_with('/')) path.remove_prefix(1);
  const auto slash = path.find('/');
  if (slash == std::string_view::npos || slash + 1 == path.size())
    return Err(invalid_argument("Invalid copy source object key", "x-amz-copy-source", "x-amz-copy-source"));
  CopySource source;
  source.bucket = TRY(find_bucket(s3, call, std::string(path.substr(0, slash))));
  source.key = path.substr(slash + 1);
  auto object = s3.blobs.find(*source.bucket, source.key, version);
  if (!object || (object->is_delete_marker && !version)) return Err(version ? no_such_version(source.key, *version) : no_such_key(source.key));
  if (object->is_delete_marker)
    return Err(invalid_request("The source of a copy request may not specifically refer to a delete marker by version id."));
  source.object = *std::move(object);
  source.customer_key = TRY(key_for_reading(source_key_headers(in), source.object.properties));
  TRY(check_conditions({.if_match = in.copy_source_if_match,
                        .if_none_match = in.copy_source_if_none_match,
                        .if_modified_since = in.copy_source_if_modified_since,
                        .if_unmodified_since = in.copy_source_if_unmodified_since,
                        .now = call.now,
                        .is_copy = true},
                       source.object));
  return source;
}

// What one version has and a copy of it does not.
bool belongs_to_version(const std::string& name) {
  return name == property::kCustomerKey || name == property::kNonce || name == property::kLockMode || name == property::kLockUntil || name == property::kLegalHold;
}

// The copy's properties: the request's, or the source's under COPY.
Reply<blob::Properties> copied_properties(const model::CopyObjectInput& in, const blob::Object& source) {
  blob::Properties given = TRY(properties_of(in));
  const bool replaces = in.metadata_directive == "REPLACE";
  blob::Properties out;
  const auto belongs_to_request = [&](const std::string& name) {
    return name == property::kStorageClass || name == property::kEncryption || name == property::kEncryptionKey ||
           name == property::kAcl || name == property::kRedirect;
  };
  for (const auto& [name, value] : given) {
    if (name == property::kTags ? in.tagging_directive == "REPLACE" : replaces || belongs_to_request(name)) out[name] = value;
  }
  for (const auto& [name, value] : source.properties) {
    if (name == property::kTags) {
      if (in.tagging_directive != "REPLACE") out[name] = value;
    } else if (!replaces && !belongs_to_request(name) && !name.starts_with("checksum") && !belongs_to_version(name)) {
      out[name] = value;
    }
  }
  return out;
}

bool changes_nothing(const model::CopyObjectInput& in, const CopySource& source, const blob::Bucket& target) {
  return source.bucket->id == target.id && source.key == in.key && in.metadata_directive != "REPLACE" && !in.storage_class &&
         !in.website_redirect_location && !in.server_side_encryption && !in.sse_customer_algorithm && !source.customer_key && source.object.version_id == "null" &&
         in.tagging_directive != "REPLACE";
}

}  // namespace

Task<Reply<model::CopyObjectOutput>> copy_object(S3& s3, const model::CopyObjectInput& in, const Call& call) {
  const auto is_directive = [](const std::string& text) { return text == "COPY" || text == "REPLACE"; };
  if (in.metadata_directive && !is_directive(*in.metadata_directive))
    co_return Err(invalid_argument("Unknown metadata directive.", "x-amz-metadata-directive", *in.metadata_directive));
  if (in.tagging_directive && !is_directive(*in.tagging_directive))
    co_return Err(invalid_argument("Unknown tagging directive.", "x-amz-tagging-directive", *in.tagging_directive));
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  const auto key = CO_TRY(key_for_writing(customer_key_headers(in), in.server_side_encryption));
  const CopySource source = CO_TRY(find_source(s3, call, in));
  if (changes_nothing(in, source, *bucket))
    co_return Err(invalid_request("This copy request is illegal because it is trying to copy an object to itself without "
                                  "changing the object's metadata, storage class, website redirect location or encryption "
                                  "attributes."));
  blob::PutRequest request{.bucket = bucket, .key = in.key};
  request.object.properties = CO_TRY(copied_properties(in, source.object));
  CO_TRY(apply_lock_headers(*bucket, in, call, request.object.properties));
  apply_default_retention(*bucket, call.now, request.object.properties);
  request.object.size = source.object.size;
  request.object.modified = call.now;
  request.precondition.must_be_absent = in.if_none_match.has_value();
  if (in.if_match) request.precondition.etag = unquoted(*in.if_match);
  std::optional<Algorithm> algorithm;
  if (in.checksum_algorithm) algorithm = algorithm_from_name(*in.checksum_algorithm);
  const auto source_algorithm = property_of(source.object.properties, property::kChecksum);
  if (!algorithm && source_algorithm) algorithm = algorithm_from_name(*source_algorithm);
  const bool has_checksum = source_algorithm && algorithm == algorithm_from_name(*source_algorithm) && source.object.parts.empty();
  const bool keeps_bytes = !key && !source.customer_key;
  if (keeps_bytes && source.object.parts.empty() && (!algorithm || has_checksum)) {
    for (const blob::Segment& segment : source.object.segments) {
      auto data = s3.blobs.data().duplicate(segment);
      if (!data) co_return Err(storage_failed(data.error()));
      request.data.push_back(*std::move(data));
    }
    request.object.etag = source.object.etag;
    if (has_checksum)
      for (const char* name : {property::kChecksum, property::kChecksumValue, property::kChecksumType})
        request.object.properties[name] = property_of(source.object.properties, name).value_or("FULL_OBJECT");
  } else {
    Received received = CO_TRY(receive_copy(s3, sources_of(source.object, 0, source.object.size, source.customer_key), algorithm, key));
    request.object.etag = received.etag;
    if (key) {
      mark(request.object.properties, *key);
      request.object.properties[property::kNonce] = received.nonce;
    }
    if (received.checksum) {
      request.object.properties[property::kChecksum] = *received.checksum;
      request.object.properties[property::kChecksumValue] = received.checksum_value;
      request.object.properties[property::kChecksumType] = "FULL_OBJECT";
    }
    request.data.push_back(std::move(received.data));
  }
  auto stored = co_await s3.blobs.put(std::move(request));
  if (!stored) co_return Err(to_error(stored.error(), {.bucket = in.bucket, .key = in.key}));
  co_await s3.notifications->notify(call, bucket, "ObjectCreated:Copy", in.key, *stored);
  model::CopyObjectOutput out;
  out.copy_object_result.emplace();
  out.copy_object_result->etag = quoted(stored->etag);
  out.copy_object_result->last_modified = stored->modified;
  fill_checksum(stored->properties, *out.copy_object_result);
  out.copy_object_result->checksum_type.reset();  // recorded: modelled, and never there
  out.server_side_encryption = property_of(stored->properties, property::kEncryption).value_or("AES256");
  show_customer_key(key, out);
  if (bucket->versioning != blob::Versioning::kOff && stored->version_id != "null") out.version_id = stored->version_id;
  if (source.bucket->versioning != blob::Versioning::kOff) out.copy_source_version_id = source.object.version_id;
  co_return out;
}

Task<Reply<model::UploadPartCopyOutput>> upload_part_copy(S3& s3, const model::UploadPartCopyInput& in, const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  const auto upload = s3.blobs.find_upload(*bucket, in.key, in.upload_id);
  if (!upload) co_return Err(no_such_upload(in.upload_id));
  if (in.part_number < 1 || in.part_number > 10000)
    co_return Err(invalid_argument("Part number must be an integer between 1 and 10000, inclusive", "partNumber",
                                   std::to_string(in.part_number)));
  const auto key = CO_TRY(key_of_part(customer_key_headers(in), upload->properties));
  const CopySource source = CO_TRY(find_source(s3, call, in));
  std::uint64_t offset = 0, size = source.object.size;
  if (in.copy_source_range) {
    const std::string_view range = *in.copy_source_range;
    const auto dash = range.find('-');
    const auto from = range.starts_with("bytes=") && dash != std::string_view::npos
                          ? parse_int<std::uint64_t>(range.substr(6, dash - 6)) : std::nullopt;
    const auto to = from ? parse_int<std::uint64_t>(range.substr(dash + 1)) : std::nullopt;
    if (!from || !to || *from > *to)
      co_return Err(invalid_argument("The x-amz-copy-source-range value must be of the form bytes=first-last where first and "
                                     "last are the zero-based offsets of the first and last bytes to copy",
                                     "x-amz-copy-source-range", range));
    if (*from < source.object.size && *to >= source.object.size)
      co_return Err(invalid_argument("Range specified is not valid for source object of size: " +
                                         std::to_string(source.object.size), "x-amz-copy-source-range", range));
    if (*to >= source.object.size)
      co_return Err(invalid_request("The specified copy range is invalid for the source object size"));
    offset = *from;
    size = *to - *from + 1;
  }
  std::optional<Algorithm> algorithm;
  if (const auto name = property_of(upload->properties, property::kChecksum)) algorithm = algorithm_from_name(*name);
  Received received = CO_TRY(receive_copy(s3, sources_of(source.object, offset, size, source.customer_key), algorithm, key));
  blob::Part part{.number = static_cast<std::uint16_t>(in.part_number), .size = size, .etag = received.etag, .modified = call.now};
  if (key) part.properties[property::kNonce] = received.nonce;
  if (received.checksum) {
    part.properties[property::kChecksum] = *received.checksum;
    part.properties[property::kChecksumValue] = received.checksum_value;
  }
  auto stored = co_await s3.blobs.put_part(bucket, in.key, in.upload_id, std::move(part), std::move(received.data));
  if (!stored) co_return Err(to_error(stored.error(), {.bucket = in.bucket, .key = in.key, .upload = in.upload_id}));
  model::UploadPartCopyOutput out;
  out.copy_part_result.emplace();
  out.copy_part_result->etag = quoted(stored->etag);
  out.copy_part_result->last_modified = stored->modified;
  fill_checksum(stored->properties, *out.copy_part_result);
  out.server_side_encryption = "AES256";
  show_customer_key(key, out);
  co_return out;
}

}  // namespace reef::s3::operations
