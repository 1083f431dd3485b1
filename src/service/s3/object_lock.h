// Object Lock: until when a version is retained and how strictly, and whether it is held.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html
#pragma once

#include <optional>
#include <string>

#include "service/s3/errors.h"
#include "service/s3/object_headers.h"

namespace reef::s3 {

struct Retention {
  bool is_compliance = false;
  Time until{};
};

// The bucket's configuration; nothing when it has none, and then none of its objects is ever locked.
std::optional<model::ObjectLockConfiguration> lock_configuration(const blob::Bucket& bucket);
aws::Error lacks_lock_configuration();

std::optional<Retention> retention_of(const blob::Properties& properties);
const char* mode_name(const Retention& retention);
void set_retention(blob::Properties& properties, const std::optional<Retention>& retention);

// Whether that version may be erased for good.
bool may_erase(const blob::Object& object, bool bypasses_governance, Time now);
// Whether its retention may become `next` (nothing: none).
bool may_retain(const blob::Object& object, const std::optional<Retention>& next, bool bypasses_governance, Time now);

// The mode by its name, or MalformedXML.
Reply<bool> is_compliance_mode(std::string_view mode);
// A retention that is over before it began, as the named argument says.
Reply<void> check_is_to_come(Time until, Time now, std::string_view argument);

// What the headers of a request to make an object say of its lock.
struct LockHeaders {
  const std::optional<std::string>& mode;
  const std::optional<Time>& until;
  const std::optional<std::string>& legal_hold;
};
Reply<void> apply_lock_headers(const blob::Bucket& bucket, const LockHeaders& headers, Time now, blob::Properties& properties);
template <class In>
Reply<void> apply_lock_headers(const blob::Bucket& bucket, const In& in, const Call& call, blob::Properties& properties) {
  return apply_lock_headers(bucket, LockHeaders{in.object_lock_mode, in.object_lock_retain_until_date, in.object_lock_legal_hold_status},
                            call.now, properties);
}
// The bucket's default retention, for an object whose request gave none.
void apply_default_retention(const blob::Bucket& bucket, Time now, blob::Properties& properties);

// As S3 writes times in some of its errors: "Tue Dec 31 16:00:00 PST 2019".
std::string pacific_time(Time at);

}  // namespace reef::s3
