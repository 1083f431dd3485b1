#include "service/s3/object_headers.h"

#include <algorithm>
#include <set>

#include "base/encoding.h"
#include "base/text.h"

namespace reef::s3 {
namespace {

constexpr std::size_t kTagsMax = 10, kTagKeyMax = 128, kTagValueMax = 256;

std::vector<model::Tag> parse_tags(std::string_view text) {
  std::vector<model::Tag> tags;
  if (text.empty()) return tags;
  for (const std::string_view pair : split(text, '&')) {
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    tags.push_back({percent_decode(pair.substr(0, equals), true),
                    equals == std::string_view::npos ? "" : percent_decode(pair.substr(equals + 1), true)});
  }
  return tags;
}

// Letters, digits and spaces of any script, and a few signs.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
bool is_tag_text(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    const bool is_alphanumeric = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    return static_cast<unsigned char>(c) >= 0x80 || is_alphanumeric || std::string_view(" _.:/=+-@").find(c) != std::string_view::npos;
  });
}

aws::Error invalid_tag(std::string message, const model::Tag& tag, bool with_value = false) {
  aws::Error error("InvalidTag", std::move(message), 400);
  error.fields.set("TagKey", tag.key);
  if (with_value) error.fields.set("TagValue", tag.value);
  return error;
}

Reply<void> check_tag_list(const std::vector<model::Tag>& tags, std::size_t tags_max) {
  if (tags.size() > tags_max)
    return Err(aws::Error("BadRequest", tags_max == kTagsMax ? "Object tags cannot be greater than 10"
                                                             : "Bucket tag count cannot be greater than 50", 400));
  std::set<std::string_view> keys;
  for (const model::Tag& tag : tags) {
    if (tag.key.starts_with("aws:"))
      return Err(invalid_tag(tags_max == kTagsMax ? "Your TagKey cannot be prefixed with aws:" : "System tags cannot be added/updated by requester", tag));
    if (tag.key.empty() || count_code_points(tag.key) > kTagKeyMax || !is_tag_text(tag.key))
      return Err(invalid_tag("The TagKey you have provided is invalid", tag));
    if (count_code_points(tag.value) > kTagValueMax || !is_tag_text(tag.value))
      return Err(invalid_tag("The TagValue you have provided is invalid", tag, true));
    if (!keys.insert(tag.key).second) return Err(invalid_tag("Cannot provide multiple Tags with the same key", tag));
  }
  return {};
}

// An If-Match list: "a", "b", *.
bool names_etag(std::string_view list, std::string_view etag) {
  for (const std::string_view one : split(list, ',')) {
    const std::string_view wanted = trim(one);
    if (wanted == "*" || unquoted(wanted) == etag) return true;
  }
  return false;
}

}  // namespace

std::string quoted(std::string_view etag) { return "\"" + std::string(etag) + "\""; }

std::string_view unquoted(std::string_view etag) {
  if (etag.starts_with("W/")) etag.remove_prefix(2);
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"') return etag.substr(1, etag.size() - 2);
  return etag;
}

std::optional<std::string> property_of(const blob::Properties& properties, std::string_view name) {
  const auto found = properties.find(name);
  if (found == properties.end()) return std::nullopt;
  return found->second;
}

Reply<void> check_tags(std::string_view tags) {
  std::set<std::string> keys;
  for (const model::Tag& tag : parse_tags(tags))
    if (!is_tag_text(tag.key) || !is_tag_text(tag.value) || !keys.insert(tag.key).second)
      return Err(invalid_argument("The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters "
                                  "without tag name duplicates.", "x-amz-tagging", tags));
  return check_tag_list(parse_tags(tags), kTagsMax);
}

std::vector<model::Tag> tags_of(const blob::Properties& properties) {
  return parse_tags(property_of(properties, property::kTags).value_or(""));
}

Reply<std::string> tags_text(const std::vector<model::Tag>& tags, std::size_t tags_max) {
  TRY(check_tag_list(tags, tags_max));
  std::string out;
  for (const model::Tag& tag : tags) {
    if (!out.empty()) out += '&';
    out += percent_encode(tag.key) + "=" + percent_encode(tag.value);
  }
  return out;
}

Reply<void> check_storage_class(const std::string& name) {
  constexpr std::string_view kClasses[] = {"STANDARD", "REDUCED_REDUNDANCY", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "GLACIER", "GLACIER_IR",
                                           "DEEP_ARCHIVE", "EXPRESS_ONEZONE", "OUTPOSTS", "SNOW", "FSX_OPENZFS", "FSX_ONTAP"};
  if (name.empty() || std::ranges::find(kClasses, name) != std::end(kClasses)) return {};
  aws::Error error("InvalidStorageClass", "The storage class you specified is not valid", 400);
  error.fields.set("StorageClassRequested", name);
  return Err(std::move(error));
}

Reply<void> check_encryption(const std::string& name) {
  if (name.empty() || name == "AES256" || name == "aws:kms" || name == "aws:kms:dsse" || name == "aws:fsx") return {};
  return Err(invalid_argument("The encryption method specified is not supported", "x-amz-server-side-encryption", name));
}

std::string content_encoding_kept(std::string_view given) {
  std::vector<std::string> kept;
  for (const std::string_view one : split(given, ','))
    if (!equals_ignoring_case(trim(one), "aws-chunked") && !trim(one).empty()) kept.emplace_back(trim(one));
  return join(kept, ",");
}

Reply<void> check_write_conditions(const std::optional<std::string>& if_match, const std::optional<std::string>& if_none_match) {
  const auto refused = [](std::string_view header, std::string message) {
    aws::Error error("NotImplemented", "A header you provided implies functionality that is not implemented", 501);
    error.fields.set("Header", header);
    error.fields.set("additionalMessage", std::move(message));
    return error;
  };
  const auto value_refused = [&](const std::string& header) {
    return refused(header, "We don't accept the provided value of " + header + " header for this API");
  };
  if (if_match && if_none_match) return Err(refused("If-Match,If-None-Match", "Multiple conditional request headers present in the request"));
  if (if_none_match && *if_none_match != "*") return Err(value_refused("If-None-Match"));
  if (if_match && *if_match == "*") return Err(value_refused("If-Match"));
  return {};
}

Reply<void> check_conditions(const ReadConditions& conditions, const blob::Object& object) {
  const auto failed = [&](const char* header) { return precondition_failed((conditions.is_copy ? "x-amz-copy-source-" : "") + std::string(header)); };
  const std::int64_t modified = to_seconds(object.modified);
  if (conditions.if_match) {
    if (!names_etag(*conditions.if_match, object.etag)) return Err(failed("If-Match"));
  } else if (conditions.if_unmodified_since && modified > to_seconds(*conditions.if_unmodified_since)) {
    return Err(failed("If-Unmodified-Since"));
  }
  if (conditions.if_none_match) {
    if (names_etag(*conditions.if_none_match, object.etag))
      return Err(conditions.is_copy ? failed("If-None-Match") : not_modified());
  } else if (conditions.if_modified_since && *conditions.if_modified_since <= conditions.now && modified <= to_seconds(*conditions.if_modified_since)) {
    return Err(conditions.is_copy ? failed("If-Modified-Since") : not_modified());
  }
  return {};
}

}  // namespace reef::s3
