// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html
#include <fmt/format.h>

#include <algorithm>

#include "base/encoding.h"
#include "service/s3/content.h"
#include "service/s3/notifications.h"
#include "service/s3/object_headers.h"
#include "service/s3/object_lock.h"
#include "service/s3/operations/operations.h"

namespace reef::s3::operations {
namespace {

constexpr const char* kOwnChecksum = "own-checksum";  // of a part: CRC64NVME, base64

constexpr std::int32_t kPartNumberMax = 10000;
constexpr std::uint64_t kPartBytesMin = 5u << 20;  // of all but the last
constexpr std::int32_t kPartsListMax = 1000;

aws::Error conflict(std::string_view condition, std::string_view key) {
  aws::Error error("ConditionalRequestConflict", "The conditional request cannot succeed due to a conflicting operation against this resource.", 409);
  error.fields.set("Condition", condition);
  error.fields.set("Key", key);
  return error;
}

aws::Error invalid_part(const model::CompletedPart& wanted, std::string_view upload_id) {
  aws::Error error("InvalidPart",
                   "One or more of the specified parts could not be found.  The part may not have been uploaded, or "
                   "the specified entity tag may not match the part's entity tag.", 400);
  error.fields.set("UploadId", upload_id);
  error.fields.set("PartNumber", wanted.part_number.value_or(0));
  error.fields.set("ETag", unquoted(wanted.etag.value_or("")));
  return error;
}

// A whole that is made of its parts' checksums needs them again. `algorithm`: of an upload whose checksum is composite.
Reply<void> check_has_checksum(const model::CompletedPart& wanted, const std::string& algorithm) {
  const bool has_one = wanted.checksum_crc32 || wanted.checksum_crc32_c || wanted.checksum_crc64_nvme || wanted.checksum_sha1 || wanted.checksum_sha256;
  if (algorithm.empty() || has_one) return {};
  return Err(invalid_request(fmt::format("The upload was created using a {} checksum. The complete request must include the checksum for each part. It was "
                                         "missing for part {} in the request.", to_lower(algorithm), wanted.part_number.value_or(0))));
}

// What the request says of a part's checksum, against what was computed when the part came.
Reply<void> check_part_checksum(const model::CompletedPart& wanted, const blob::Upload& upload, const blob::Part& part, std::string_view upload_id) {
  const std::pair<Algorithm, const std::optional<std::string>*> kGiven[] = {
      {Algorithm::kCrc32, &wanted.checksum_crc32}, {Algorithm::kCrc32c, &wanted.checksum_crc32_c}, {Algorithm::kCrc64Nvme, &wanted.checksum_crc64_nvme},
      {Algorithm::kSha1, &wanted.checksum_sha1}, {Algorithm::kSha256, &wanted.checksum_sha256}};
  const auto of_upload = property_of(upload.properties, property::kChecksum);
  for (const auto& [algorithm, given] : kGiven) {
    if (!*given) continue;
    if (!of_upload) return Err(invalid_part(wanted, upload_id));  // recorded: even the right one
    if (*of_upload != algorithm_name(algorithm))
      return Err(aws::Error("BadDigest", fmt::format("The {} you specified for part {} did not match what we received.", to_lower(algorithm_name(algorithm)),
                                                     wanted.part_number.value_or(0)), 400));
    if (const auto value = property_of(part.properties, property::kChecksumValue); value && **given != *value) return Err(invalid_part(wanted, upload_id));
  }
  return {};
}

// The parts that a CompleteMultipartUpload names, checked against those that were uploaded.
Reply<std::vector<blob::Part>> chosen_parts(const model::CompleteMultipartUploadInput& in, const blob::Upload& upload, std::vector<blob::Part> uploaded) {
  if (!in.multipart_upload || !in.multipart_upload->parts || in.multipart_upload->parts->empty())
    return Err(invalid_request("You must specify at least one part"));
  const bool is_composite = property_of(upload.properties, property::kChecksumType) == "COMPOSITE";
  const std::string composite = is_composite ? property_of(upload.properties, property::kChecksum).value_or("") : "";
  std::vector<blob::Part> chosen;
  for (const model::CompletedPart& wanted : *in.multipart_upload->parts) {
    const int number = wanted.part_number.value_or(0);
    if (!chosen.empty() && number <= chosen.back().number) {
      aws::Error error("InvalidPartOrder", "The list of parts was not in ascending order. Parts must be ordered by part number.", 400);
      error.fields.set("UploadId", in.upload_id);
      return Err(std::move(error));
    }
    const auto found = std::ranges::find_if(uploaded, [&](const blob::Part& part) { return part.number == number; });
    if (found == uploaded.end() || !wanted.etag || unquoted(*wanted.etag) != found->etag) return Err(invalid_part(wanted, in.upload_id));
    TRY(check_has_checksum(wanted, composite));
    TRY(check_part_checksum(wanted, upload, *found, in.upload_id));
    chosen.push_back(*found);
  }
  for (std::size_t i = 0; i + 1 < chosen.size(); ++i)
    if (chosen[i].size < kPartBytesMin) {
      aws::Error error("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size", 400);
      error.fields.set("ProposedSize", chosen[i].size);
      error.fields.set("MinSizeAllowed", kPartBytesMin);
      error.fields.set("PartNumber", static_cast<int>(chosen[i].number));
      error.fields.set("ETag", chosen[i].etag);
      return Err(std::move(error));
    }
  return chosen;
}

std::string whole_etag(const std::vector<blob::Part>& parts) {
  std::string digests;
  for (const blob::Part& part : parts) digests += hex_decode(part.etag).value_or("");
  return fmt::format("{}-{}", md5_hex(digests), parts.size());
}

// The whole object's checksum from those of its parts; nothing when some part has none.
std::optional<std::string> whole_checksum(Algorithm algorithm, bool composite, const std::vector<blob::Part>& parts) {
  std::optional<std::string> running;
  ChecksumState of_checksums(algorithm);
  for (const blob::Part& part : parts) {
    const auto value = property_of(part.properties, property::kChecksumValue);
    if (!value || property_of(part.properties, property::kChecksum) != algorithm_name(algorithm)) return std::nullopt;
    if (composite)
      of_checksums.update(base64_decode(*value).value_or(""));
    else
      running = running ? combine(algorithm, *running, *value, part.size) : *value;
  }
  return composite ? fmt::format("{}-{}", of_checksums.finish(), parts.size()) : running;
}

// Of an upload that was begun without an algorithm: CRC64NVME over all of it. Its parts then show none.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
Reply<void> set_own_checksum(const model::CompleteMultipartUploadInput& in, const Call& call, blob::Object& object) {
  std::optional<std::string> running;
  bool is_whole = true;
  for (blob::Part& part : object.parts) {
    const auto value = property_of(part.properties, kOwnChecksum);
    for (const char* name : {property::kChecksum, property::kChecksumValue, kOwnChecksum}) part.properties.erase(name);
    if (!value || value->empty()) is_whole = false;
    else running = running ? combine(Algorithm::kCrc64Nvme, *running, *value, part.size) : *value;
  }
  if (!is_whole || !running) return {};  // a part that was copied has none
  const auto given = TRY(given_checksum(in, call));
  if (given && !given->value.empty() && given->algorithm == Algorithm::kCrc64Nvme && given->value != *running)
    return Err(aws::Error("BadDigest", "The CRC64NVME you specified did not match the calculated checksum.", 400));
  object.properties[property::kChecksum] = std::string(algorithm_name(Algorithm::kCrc64Nvme));
  object.properties[property::kChecksumValue] = *running;
  object.properties[property::kChecksumType] = "FULL_OBJECT";
  return {};
}

Reply<void> set_whole_checksum(const blob::Upload& upload, const model::CompleteMultipartUploadInput& in, const Call& call,
                               blob::Object& object) {
  const auto name = property_of(upload.properties, property::kChecksum);
  const auto algorithm = name ? algorithm_from_name(*name) : std::nullopt;
  if (!algorithm) return set_own_checksum(in, call, object);
  const std::string type = property_of(upload.properties, property::kChecksumType).value_or("COMPOSITE");
  const auto value = whole_checksum(*algorithm, type == "COMPOSITE", object.parts);
  object.properties.erase(property::kChecksum);
  object.properties.erase(property::kChecksumType);
  if (!value) return {};
  const auto given = TRY(given_checksum(in, call));
  // Recorded: one over the whole object counts only together with its type.
  const bool fits = given && given->algorithm == *algorithm && given->value == *value && (type == "COMPOSITE" || in.checksum_type == type);
  const bool is_other = given && given->algorithm != *algorithm && type == "COMPOSITE";
  if (given && !given->value.empty() && !fits && !is_other)
    return Err(aws::Error("BadDigest", fmt::format("The {} you specified did not match the calculated checksum.", to_lower(*name)), 400));
  object.properties[property::kChecksum] = *name;
  object.properties[property::kChecksumValue] = *value;
  object.properties[property::kChecksumType] = type;
  return {};
}

}  // namespace

Task<Reply<model::CreateMultipartUploadOutput>> create_multipart_upload(S3& s3, const model::CreateMultipartUploadInput& in,
                                                                        const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  blob::Properties properties = CO_TRY(properties_of(in));
  CO_TRY(apply_lock_headers(*bucket, in, call, properties));
  const auto key = CO_TRY(key_for_writing(customer_key_headers(in), in.server_side_encryption));
  if (key) mark(properties, *key);
  model::CreateMultipartUploadOutput out;
  if (in.checksum_type && !in.checksum_algorithm)
    co_return Err(invalid_request("The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header."));
  if (in.checksum_algorithm) {
    const auto algorithm = algorithm_from_name(*in.checksum_algorithm);
    if (!algorithm)
      co_return Err(invalid_request("Checksum algorithm provided is unsupported. Please try again with any of the valid types: [CRC32, CRC32C, SHA1, SHA256]"));
    const bool only_whole = *algorithm == Algorithm::kCrc64Nvme;
    const bool only_composite = *algorithm == Algorithm::kSha1 || *algorithm == Algorithm::kSha256;
    const std::string type = in.checksum_type.value_or(only_whole ? "FULL_OBJECT" : "COMPOSITE");
    if ((only_whole && type == "COMPOSITE") || (only_composite && type == "FULL_OBJECT"))
      co_return Err(invalid_request(fmt::format("The {} checksum type cannot be used with the {} checksum algorithm.", type,
                                                to_lower(*in.checksum_algorithm))));
    properties[property::kChecksum] = algorithm_name(*algorithm);
    properties[property::kChecksumType] = type;
    out.checksum_algorithm = algorithm_name(*algorithm);
    out.checksum_type = type;
  }
  out.server_side_encryption = property_of(properties, property::kEncryption).value_or("AES256");
  show_customer_key(key, out);
  const auto upload = co_await s3.blobs.start_upload(bucket, in.key, std::move(properties));
  if (!upload) co_return Err(to_error(upload.error(), {.bucket = in.bucket}));
  out.bucket = in.bucket;
  out.key = in.key;
  out.upload_id = upload->id;
  co_return out;
}

Task<Reply<model::UploadPartOutput>> upload_part(S3& s3, const model::UploadPartInput& in, const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  if (in.part_number < 1 || in.part_number > kPartNumberMax)
    co_return Err(invalid_argument("Part number must be an integer between 1 and 10000, inclusive", "partNumber",
                                   std::to_string(in.part_number)));
  const auto upload = s3.blobs.find_upload(*bucket, in.key, in.upload_id);
  if (!upload) co_return Err(no_such_upload(in.upload_id));
  const auto key = CO_TRY(key_of_part(customer_key_headers(in), upload->properties));
  const auto given = CO_TRY(given_checksum(in, call));
  std::optional<Algorithm> algorithm;
  if (const auto name = property_of(upload->properties, property::kChecksum)) algorithm = algorithm_from_name(*name);
  if (given && algorithm && given->algorithm != *algorithm)
    co_return Err(invalid_request(fmt::format("Checksum Type mismatch occurred, expected checksum Type: {}, actual checksum "
                                              "Type: {}", to_lower(algorithm_name(*algorithm)),
                                              to_lower(algorithm_name(given->algorithm)))));
  // Without an algorithm the whole object has S3's own, whatever its parts come with; recorded: not under a customer's key.
  Received received = CO_TRY(co_await receive(s3, call, in.body, in.content_md5, given, algorithm, !algorithm && !key, key));
  blob::Part part{.number = static_cast<std::uint16_t>(in.part_number),
                  .size = received.data.size(),
                  .etag = received.etag,
                  .modified = call.now};
  if (received.checksum) {
    part.properties[property::kChecksum] = *received.checksum;
    part.properties[property::kChecksumValue] = received.checksum_value;
  }
  if (key) part.properties[property::kNonce] = received.nonce;
  if (!algorithm) part.properties[kOwnChecksum] = received.own_checksum;
  const auto stored = co_await s3.blobs.put_part(bucket, in.key, in.upload_id, std::move(part), std::move(received.data));
  if (!stored) co_return Err(to_error(stored.error(), {.bucket = in.bucket, .key = in.key, .upload = in.upload_id}));
  model::UploadPartOutput out;
  out.etag = quoted(stored->etag);
  out.server_side_encryption = "AES256";
  show_customer_key(key, out);
  fill_checksum(stored->properties, out);
  co_return out;
}

Task<Reply<model::CompleteMultipartUploadOutput>> complete_multipart_upload(S3& s3,
                                                                            const model::CompleteMultipartUploadInput& in,
                                                                            const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  const auto upload = s3.blobs.find_upload(*bucket, in.key, in.upload_id);
  if (!upload) co_return Err(no_such_upload(in.upload_id));
  CO_TRY(check_write_conditions(in.if_match, in.if_none_match));
  const std::string type = property_of(upload->properties, property::kChecksumType).value_or("null");
  if (in.checksum_type && *in.checksum_type != type)
    co_return Err(invalid_request(fmt::format("The upload was created using the {} checksum mode. The complete request must use the same checksum mode.", type)));
  blob::PutRequest request{.bucket = bucket, .key = in.key, .upload_id = in.upload_id};
  blob::Object& object = request.object;
  object.parts = CO_TRY(chosen_parts(in, *upload, s3.blobs.parts(in.upload_id)));
  for (const blob::Part& part : object.parts) object.size += part.size;
  if (in.mpu_object_size && static_cast<std::uint64_t>(*in.mpu_object_size) != object.size)
    co_return Err(invalid_request(fmt::format("The provided 'x-amz-mp-object-size' header value {} does not match what was computed: {}",
                                              *in.mpu_object_size, object.size)));
  object.etag = whole_etag(object.parts);
  object.modified = call.now;
  object.properties = upload->properties;
  apply_default_retention(*bucket, call.now, object.properties);
  CO_TRY(set_whole_checksum(*upload, in, call, object));
  request.precondition.must_be_absent = in.if_none_match.has_value();
  if (in.if_match) request.precondition.etag = unquoted(*in.if_match);
  const auto stored = co_await s3.blobs.put(std::move(request));
  const char* const condition = in.if_match ? "If-Match" : "If-None-Match";
  if (!stored && stored.error() == blob::Refusal::kPreconditionFailed) co_return Err(precondition_failed(condition));
  if (!stored && stored.error() == blob::Refusal::kConflict) co_return Err(conflict(condition, in.key));
  if (!stored) co_return Err(to_error(stored.error(), {.bucket = in.bucket, .key = in.key, .upload = in.upload_id}));
  co_await s3.notifications->notify(call, bucket, "ObjectCreated:CompleteMultipartUpload", in.key, *stored);
  model::CompleteMultipartUploadOutput out;
  out.location = fmt::format("{}/{}/{}", call.endpoint, in.bucket, percent_encode(in.key, true));
  out.bucket = in.bucket;
  out.key = in.key;
  out.etag = quoted(stored->etag);
  if (!has_customer_key(stored->properties)) out.server_side_encryption = property_of(stored->properties, property::kEncryption).value_or("AES256");
  fill_checksum(stored->properties, out);
  if (bucket->versioning != blob::Versioning::kOff && stored->version_id != "null") out.version_id = stored->version_id;
  co_return out;
}

Task<Reply<model::AbortMultipartUploadOutput>> abort_multipart_upload(S3& s3, const model::AbortMultipartUploadInput& in,
                                                                      const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  const auto aborted = co_await s3.blobs.abort_upload(bucket, in.key, in.upload_id);
  if (!aborted) co_return Err(to_error(aborted.error(), {.bucket = in.bucket, .upload = in.upload_id}));
  if (call.http_response) call.http_response->status = 204;
  co_return model::AbortMultipartUploadOutput{};
}

Task<Reply<model::ListPartsOutput>> list_parts(S3& s3, const model::ListPartsInput& in, const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  const auto upload = s3.blobs.find_upload(*bucket, in.key, in.upload_id);
  if (!upload) co_return Err(no_such_upload(in.upload_id));
  const std::int32_t limit = std::clamp(in.max_parts.value_or(kPartsListMax), 0, kPartsListMax);
  model::ListPartsOutput out;
  out.bucket = in.bucket;
  out.key = in.key;
  out.upload_id = in.upload_id;
  out.part_number_marker = in.part_number_marker.value_or(0);
  out.max_parts = limit;
  out.is_truncated = false;
  out.next_part_number_marker = 0;
  out.storage_class = property_of(upload->properties, property::kStorageClass).value_or("STANDARD");
  out.owner = owner_of(bucket->account);
  out.initiator = model::Initiator{.id = canonical_id(call.account), .display_name = call.account};
  out.checksum_algorithm = property_of(upload->properties, property::kChecksum);
  out.checksum_type = property_of(upload->properties, property::kChecksumType);
  std::int32_t count = 0;
  for (const blob::Part& part : s3.blobs.parts(in.upload_id)) {
    if (part.number <= *out.part_number_marker) continue;
    if (count++ == limit) {
      out.is_truncated = true;
      break;
    }
    if (!out.parts) out.parts.emplace();
    model::Part& shown = out.parts->emplace_back();
    shown.part_number = part.number;
    shown.last_modified = part.modified;
    shown.etag = quoted(part.etag);
    shown.size = static_cast<std::int64_t>(part.size);
    if (out.checksum_algorithm) fill_checksum(part.properties, shown);  // as the upload was begun with one
    out.next_part_number_marker = part.number;
  }
  co_return out;
}

Task<Reply<model::ListMultipartUploadsOutput>> list_multipart_uploads(S3& s3, const model::ListMultipartUploadsInput& in,
                                                                      const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  const bool as_url = in.encoding_type == "url";
  const auto text = [&](std::string_view plain) { return as_url ? percent_encode(plain, true) : std::string(plain); };
  blob::ListRequest request{.bucket = bucket, .prefix = in.prefix.value_or(""), .delimiter = in.delimiter.value_or(""),
                            .after = in.key_marker.value_or(""), .after_version = in.upload_id_marker.value_or("")};
  request.limit = static_cast<std::size_t>(std::clamp(in.max_uploads.value_or(1000), 0, 1000));
  if (request.after.empty()) request.after_version.clear();  // means nothing alone
  if (!request.after_version.empty() && !s3.blobs.find_upload(*bucket, request.after, request.after_version))
    co_return Err(invalid_argument("Invalid uploadId marker", "upload-id-marker", request.after_version));
  const blob::UploadPage page = s3.blobs.uploads(request);
  model::ListMultipartUploadsOutput out;
  out.bucket = in.bucket;
  out.key_marker = text(request.after);
  out.upload_id_marker = request.after_version;
  if (in.prefix) out.prefix = text(*in.prefix);
  if (in.delimiter && !in.delimiter->empty()) out.delimiter = text(*in.delimiter);
  out.max_uploads = static_cast<std::int32_t>(request.limit);
  out.is_truncated = page.is_truncated;
  out.encoding_type = in.encoding_type;
  for (const blob::Upload& upload : page.uploads) {
    if (!out.uploads) out.uploads.emplace();
    out.uploads->push_back({.upload_id = upload.id,
                            .key = text(upload.key),
                            .initiated = upload.started,
                            .storage_class = property_of(upload.properties, property::kStorageClass).value_or("STANDARD"),
                            .owner = owner_of(bucket->account),
                            .initiator = model::Initiator{.id = canonical_id(bucket->account), .display_name = bucket->account},
                            .checksum_algorithm = property_of(upload.properties, property::kChecksum),
                            .checksum_type = property_of(upload.properties, property::kChecksumType)});
  }
  // Where the page ends, whether there is another or not; a group of keys has no upload.
  const bool ends_with_upload = !page.uploads.empty() && (page.groups.empty() || page.groups.back() < page.uploads.back().key);
  out.next_key_marker = ends_with_upload ? text(page.uploads.back().key) : "";
  out.next_upload_id_marker = ends_with_upload ? page.uploads.back().id : "";
  for (const std::string& group : page.groups) {
    if (!out.common_prefixes) out.common_prefixes.emplace();
    out.common_prefixes->push_back({text(group)});
  }
  co_return out;
}

}  // namespace reef::s3::operations
