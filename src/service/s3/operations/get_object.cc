// https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "service/s3/content.h"
#include "service/s3/object_headers.h"
#include "service/s3/operations/operations.h"

namespace reef::s3::operations {
namespace {

struct Slice {
  std::uint64_t offset = 0, size = 0;
  bool is_partial = false;
};

// Nothing for a header that is not one byte range: then the whole object is meant.
Reply<std::optional<Slice>> parse_range(std::string_view header, std::uint64_t size) {
  if (!header.starts_with("bytes=") || header.find(',') != std::string_view::npos) return std::optional<Slice>();
  const std::string_view range = header.substr(6);
  const auto dash = range.find('-');
  if (dash == std::string_view::npos) return std::optional<Slice>();
  const std::string_view from_text = trim(range.substr(0, dash)), to_text = trim(range.substr(dash + 1));
  const auto from = parse_int<std::uint64_t>(from_text), to = parse_int<std::uint64_t>(to_text);
  if ((!from_text.empty() && !from) || (!to_text.empty() && !to) || (!from && !to)) return std::optional<Slice>();
  if (from && to && *from > *to) return std::optional<Slice>();
  if ((from && *from >= size) || (!from && *to == 0) || size == 0) {
    aws::Error error("InvalidRange", "The requested range is not satisfiable", 416);
    error.fields.set("RangeRequested", header);
    error.fields.set("ActualObjectSize", size);
    return Err(std::move(error));
  }
  if (!from) {
    const std::uint64_t count = std::min(*to, size);
    return std::optional(Slice{size - count, count, true});
  }
  const std::uint64_t last = std::min(to.value_or(size - 1), size - 1);
  return std::optional(Slice{*from, last - *from + 1, true});
}

Reply<Slice> slice_of(const std::optional<std::string>& range, const std::optional<std::int32_t>& part_number,
                      const blob::Object& object) {
  if (range && part_number) return Err(invalid_request("Cannot specify both Range header and partNumber query parameter"));
  if (part_number) {
    if (object.parts.empty()) {
      if (*part_number == 1) return Slice{0, object.size, true};
    } else {
      std::uint64_t offset = 0;
      for (std::size_t i = 0; i < object.parts.size(); ++i) {
        if (static_cast<std::size_t>(*part_number) == i + 1) return Slice{offset, object.parts[i].size, true};
        offset += object.parts[i].size;
      }
    }
    aws::Error error("InvalidPartNumber", "The requested partnumber is not satisfiable", 416);
    error.fields.set("PartNumberRequested", *part_number);
    error.fields.set("ActualPartCount", std::max<std::size_t>(1, object.parts.size()));
    return Err(std::move(error));
  }
  if (range)
    if (const auto slice = TRY(parse_range(*range, object.size))) return *slice;
  return Slice{0, object.size, false};
}

Reply<blob::Object> find_object(S3& s3, const Call& call, const blob::Bucket& bucket, const std::string& key,
                                const std::optional<std::string>& version) {
  auto object = s3.blobs.find(bucket, key, version);
  if (!object && version && (bucket.versioning == blob::Versioning::kOff || !blob::is_version_id(*version)))
    return Err(invalid_argument("Invalid version id specified", "versionId", *version));
  if (!object) return Err(version ? no_such_version(key, *version) : no_such_key(key));
  if (!object->is_delete_marker) return *std::move(object);
  if (call.http_response) {
    call.http_response->set("x-amz-delete-marker", "true");
    call.http_response->set("x-amz-version-id", object->version_id);
  }
  if (version && call.http_response) call.http_response->set("Allow", "DELETE");
  if (version) return Err(marker_refuses(call.http_request ? call.http_request->method : "GET"));
  return Err(no_such_key(key));
}

// Everything but the bytes; the slice that is meant. The key must have been found right.
template <class In, class Out>
Reply<Slice> describe(const In& in, const Call& call, const blob::Bucket& bucket, const blob::Object& object,
                      const std::optional<CustomerKey>& key, Out& out) {
  TRY(check_conditions({.if_match = in.if_match,
                        .if_none_match = in.if_none_match,
                        .if_modified_since = in.if_modified_since,
                        .if_unmodified_since = in.if_unmodified_since,
                        .now = call.now},
                       object));
  const Slice slice = TRY(slice_of(in.range, in.part_number, object));
  const bool whole = slice.size == object.size;
  const bool wants_checksum = in.checksum_mode && equals_ignoring_case(*in.checksum_mode, "ENABLED");
  // Recorded: a part has its own when the whole's is made of them.
  const bool is_part = in.part_number && !object.parts.empty() && property_of(object.properties, property::kChecksumType) == "COMPOSITE";
  fill_headers(bucket, object, wants_checksum && !is_part && (whole || !slice.is_partial), out);
  if (wants_checksum && is_part) {
    fill_checksum(object.parts[static_cast<std::size_t>(*in.part_number) - 1].properties, out);
    out.checksum_type = "COMPOSITE";
  }
  show_customer_key(key, out);
  const auto override_with = [](const std::optional<std::string>& given, std::optional<std::string>& header) {
    if (given) header = given;
  };
  override_with(in.response_cache_control, out.cache_control);
  override_with(in.response_content_disposition, out.content_disposition);
  override_with(in.response_content_encoding, out.content_encoding);
  override_with(in.response_content_language, out.content_language);
  override_with(in.response_content_type, out.content_type);
  if (in.response_expires) out.expires = format_http_date(*in.response_expires);
  if (in.part_number && !object.parts.empty()) out.parts_count = static_cast<std::int32_t>(object.parts.size());
  if (slice.is_partial) {
    if (slice.size > 0)
      out.content_range = fmt::format("bytes {}-{}/{}", slice.offset, slice.offset + slice.size - 1, object.size);
    if (call.http_response) call.http_response->status = 206;
  }
  return slice;
}

}  // namespace

Task<Reply<model::GetObjectOutput>> get_object(S3& s3, const model::GetObjectInput& in, const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  for (int attempt = 0;; ++attempt) {
    const blob::Object object = CO_TRY(find_object(s3, call, *bucket, in.key, in.version_id));
    const auto key = CO_TRY(key_for_reading(customer_key_headers(in), object.properties));
    model::GetObjectOutput out;
    const Slice slice = CO_TRY(describe(in, call, *bucket, object, key, out));
    // Its files may go between the look-up and here, when it is replaced; then there is a newer one.
    auto sent = send(s3, call, sources_of(object, slice.offset, slice.size, key), out.body);
    if (!sent && attempt == 0) continue;
    CO_TRY(std::move(sent));
    if (!call.http_response) out.content_length = static_cast<std::int64_t>(slice.size);
    co_return out;
  }
}

Task<Reply<model::HeadObjectOutput>> head_object(S3& s3, const model::HeadObjectInput& in, const Call& call) {
  const blob::BucketPtr bucket = CO_TRY(find_bucket(s3, call, in.bucket));
  const blob::Object object = CO_TRY(find_object(s3, call, *bucket, in.key, in.version_id));
  const auto key = CO_TRY(key_for_reading(customer_key_headers(in), object.properties));
  model::HeadObjectOutput out;
  const Slice slice = CO_TRY(describe(in, call, *bucket, object, key, out));
  out.content_length = static_cast<std::int64_t>(slice.size);
  co_return out;
}

}  // namespace reef::s3::operations
