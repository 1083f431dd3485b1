// Configurations of buckets, kept as JSON of their modelled shapes under a name.
#pragma once

#include "aws/protocol/json_value.h"
#include "service/s3/s3.h"

namespace reef::s3 {

// Names of bucket settings.
namespace setting {
inline constexpr const char* kAccelerate = "accelerate";
inline constexpr const char* kAcl = "acl";
inline constexpr const char* kCors = "cors";
inline constexpr const char* kEncryption = "encryption";
inline constexpr const char* kLifecycle = "lifecycle";
inline constexpr const char* kLogging = "logging";
inline constexpr const char* kMetrics = "metrics/";  // and the id of each
inline constexpr const char* kNotification = "notification";
inline constexpr const char* kObjectLock = "object-lock";  // there when objects can be locked
inline constexpr const char* kOwnership = "ownership";
inline constexpr const char* kPolicy = "policy";  // as given, not JSON of a shape
inline constexpr const char* kPublicAccess = "public-access";
inline constexpr const char* kRequestPayment = "request-payment";
inline constexpr const char* kTags = "tags";
inline constexpr const char* kVersioning = "versioning";
inline constexpr const char* kWebsite = "website";
}  // namespace setting

template <class T>
std::string configuration_text(const T& configuration) {
  std::string text;
  wire::JsonWriter writer(text);
  aws::write_json(shape_of(static_cast<const T*>(nullptr)), &configuration, writer, {.exact_time = true});
  return text;
}

// False when the bucket has none of that name.
template <class T>
bool read_configuration(const blob::Bucket& bucket, std::string_view name, T& out) {
  const auto found = bucket.settings.find(name);
  if (found == bucket.settings.end()) return false;
  wire::JsonReader reader(found->second);
  aws::MissingMembers missing;
  return aws::read_json(shape_of(static_cast<const T*>(nullptr)), reader, &out, {}, &missing).has_value();
}

}  // namespace reef::s3
