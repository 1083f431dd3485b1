// An object's properties in the store and its headers in requests and replies.
#pragma once

#include "service/s3/checksum.h"
#include "service/s3/errors.h"

namespace reef::s3 {

// Names of properties. "m:" + name is user metadata.
namespace property {
inline constexpr const char* kCacheControl = "cache-control";
inline constexpr const char* kContentDisposition = "content-disposition";
inline constexpr const char* kContentEncoding = "content-encoding";
inline constexpr const char* kContentLanguage = "content-language";
inline constexpr const char* kContentType = "content-type";
inline constexpr const char* kExpires = "expires";
inline constexpr const char* kRedirect = "website-redirect-location";
inline constexpr const char* kStorageClass = "storage-class";
inline constexpr const char* kEncryption = "encryption";
inline constexpr const char* kEncryptionKey = "encryption-key";
inline constexpr const char* kLockMode = "lock-mode";
inline constexpr const char* kLockUntil = "lock-until";         // microseconds
inline constexpr const char* kLegalHold = "legal-hold";
inline constexpr const char* kCustomerKey = "customer-key";     // encrypted with a key whose salt and digest these are
inline constexpr const char* kNonce = "nonce";                  // of its bytes, base64; parts have their own
inline constexpr const char* kTags = "tags";                    // as a query string
inline constexpr const char* kAcl = "acl";                      // canned name, or JSON
inline constexpr const char* kChecksum = "checksum";            // algorithm
inline constexpr const char* kChecksumValue = "checksum-value"; // base64, "-N" when composite
inline constexpr const char* kChecksumType = "checksum-type";   // FULL_OBJECT or COMPOSITE
}  // namespace property

std::string quoted(std::string_view etag);
std::string_view unquoted(std::string_view etag);
std::optional<std::string> property_of(const blob::Properties& properties, std::string_view name);

// "k=v&k2=v2" of x-amz-tagging, checked.
Reply<void> check_tags(std::string_view tags);
std::vector<model::Tag> tags_of(const blob::Properties& properties);
Reply<std::string> tags_text(const std::vector<model::Tag>& tags, std::size_t tags_max);

// InvalidStorageClass for a class that S3 does not have.
Reply<void> check_storage_class(const std::string& name);
// InvalidArgument for an encryption that S3 does not have.
Reply<void> check_encryption(const std::string& name);

std::string content_encoding_kept(std::string_view given);  // without aws-chunked

// What PutObject, CopyObject and CreateMultipartUpload have in common.
template <class In>
Reply<blob::Properties> properties_of(const In& in) {
  blob::Properties out;
  const auto keep = [&](const char* name, const std::optional<std::string>& value) {
    if (value && !value->empty()) out[name] = *value;
  };
  keep(property::kCacheControl, in.cache_control);
  keep(property::kContentDisposition, in.content_disposition);
  if (in.content_encoding) keep(property::kContentEncoding, content_encoding_kept(*in.content_encoding));
  keep(property::kContentLanguage, in.content_language);
  keep(property::kContentType, in.content_type);
  keep(property::kExpires, in.expires);
  keep(property::kRedirect, in.website_redirect_location);
  if (in.storage_class) TRY(check_storage_class(*in.storage_class));
  if (in.storage_class && *in.storage_class != "STANDARD") keep(property::kStorageClass, in.storage_class);
  if (in.server_side_encryption) TRY(check_encryption(*in.server_side_encryption));
  keep(property::kEncryption, in.server_side_encryption);
  keep(property::kEncryptionKey, in.ssekms_key_id);
  keep(property::kAcl, in.acl);
  if (in.tagging && !in.tagging->empty()) {
    TRY(check_tags(*in.tagging));
    out[property::kTags] = *in.tagging;
  }
  std::size_t metadata_bytes = 0;
  if (in.metadata)
    for (const auto& [name, value] : *in.metadata) {
      metadata_bytes += name.size() + value.size();
      out["m:" + to_lower(name)] = value;
    }
  if (metadata_bytes > 2048) {
    aws::Error error("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size", 400);
    error.fields.set("Size", static_cast<std::int64_t>(metadata_bytes));
    error.fields.set("MaxSizeAllowed", 2048);
    return Err(std::move(error));
  }
  return out;
}

// What GetObject and HeadObject have in common. `with_checksum`: the client asked for it.
template <class Out>
void fill_headers(const blob::Bucket& bucket, const blob::Object& object, bool with_checksum, Out& out) {
  const blob::Properties& properties = object.properties;
  out.accept_ranges = "bytes";
  out.last_modified = object.modified;
  out.etag = quoted(object.etag);
  out.cache_control = property_of(properties, property::kCacheControl);
  out.content_disposition = property_of(properties, property::kContentDisposition);
  out.content_encoding = property_of(properties, property::kContentEncoding);
  out.content_language = property_of(properties, property::kContentLanguage);
  out.content_type = property_of(properties, property::kContentType).value_or("binary/octet-stream");
  out.expires = property_of(properties, property::kExpires);
  out.website_redirect_location = property_of(properties, property::kRedirect);
  out.storage_class = property_of(properties, property::kStorageClass);
  out.server_side_encryption = property_of(properties, property::kEncryption).value_or("AES256");
  out.ssekms_key_id = property_of(properties, property::kEncryptionKey);
  if (bucket.versioning != blob::Versioning::kOff) out.version_id = object.version_id;
  for (auto at = properties.lower_bound("m:"); at != properties.end() && at->first.starts_with("m:"); ++at) {
    if (!out.metadata) out.metadata.emplace();
    out.metadata->emplace(at->first.substr(2), at->second);
  }
  if (const std::size_t tags = tags_of(properties).size()) out.tag_count = static_cast<std::int32_t>(tags);
  out.object_lock_mode = property_of(properties, property::kLockMode);
  if (const auto until = property_of(properties, property::kLockUntil)) out.object_lock_retain_until_date = from_micros(parse_int<std::int64_t>(*until).value_or(0));
  out.object_lock_legal_hold_status = property_of(properties, property::kLegalHold);
  const auto algorithm = property_of(properties, property::kChecksum);
  if (!with_checksum || !algorithm) return;
  set_checksum(out, *algorithm, property_of(properties, property::kChecksumValue).value_or(""));
  out.checksum_type = property_of(properties, property::kChecksumType).value_or("FULL_OBJECT");
}

// The checksum of a stored object or part, in an output.
template <class Out>
void fill_checksum(const blob::Properties& properties, Out& out) {
  const auto algorithm = property_of(properties, property::kChecksum);
  if (!algorithm) return;
  set_checksum(out, *algorithm, property_of(properties, property::kChecksumValue).value_or(""));
  if constexpr (requires { out.checksum_type; })
    out.checksum_type = property_of(properties, property::kChecksumType).value_or("FULL_OBJECT");
}

// RFC 9110 preconditions of a read: NotModified or PreconditionFailed. Times compare by whole seconds.
struct ReadConditions {
  std::optional<std::string> if_match, if_none_match;
  std::optional<Time> if_modified_since, if_unmodified_since;
  Time now{};            // a time to come says nothing of what was modified since
  bool is_copy = false;  // a copy's failing conditions are all PreconditionFailed
};
// What S3 takes of If-Match and If-None-Match on writes.
Reply<void> check_write_conditions(const std::optional<std::string>& if_match, const std::optional<std::string>& if_none_match);
Reply<void> check_conditions(const ReadConditions& conditions, const blob::Object& object);

}  // namespace reef::s3
