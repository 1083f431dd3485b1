// What every protocol shares: reaching members, and scalars as text (query values, headers, XML text).
#pragma once

#include <string>
#include <string_view>

#include "aws/shape.h"
#include "base/time.h"

namespace reef::aws {

// The member's value inside its struct, or nullptr when it is absent.
inline const void* value_of(const Member& member, const void* structure) {
  return member.access.get(static_cast<const char*>(structure) + member.offset);
}
// Makes the member present and returns its value.
inline void* make_value(const Member& member, void* structure) {
  return member.access.make(static_cast<char*>(structure) + member.offset);
}
template <class T>
T& as(void* value) {
  return *static_cast<T*>(value);
}
template <class T>
const T& as(const void* value) {
  return *static_cast<const T*>(value);
}

inline bool is_scalar(Kind kind) {
  return kind >= Kind::kString && kind <= Kind::kBlob;
}

// The format a timestamp has: its member's, its shape's, or the protocol's.
inline TimestampFormat timestamp_format(const Member* member, const Shape& shape, TimestampFormat fallback) {
  if (member && member->timestamp != TimestampFormat::kDefault) return member->timestamp;
  return shape.timestamp != TimestampFormat::kDefault ? shape.timestamp : fallback;
}

// False when the text is no such value.
bool scalar_from_text(const Shape& shape, TimestampFormat format, std::string_view text, void* value);
void append_scalar(std::string& out, const Shape& shape, TimestampFormat format, const void* value);

// Whole seconds as "1605908328", fractions as "1605908328.123"; microseconds only when `exact`.
void append_epoch(std::string& out, Time time, bool exact);
std::optional<Time> parse_epoch(std::string_view text);
std::optional<Time> parse_timestamp(TimestampFormat format, std::string_view text);

// "QueueName" -> "queueName": how AWS names members in validation messages.
std::string member_path_name(std::string_view name);
// "Integer", "String", ...: how AWS's parsers call a kind.
std::string_view kind_name(Kind kind);

}  // namespace reef::aws
