// AWS's wire protocols: requests into input structs, output structs and errors into responses, driven by the model's
// tables. One file per protocol stands behind this header; nothing else in the system sees JSON or XML of a call.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "aws/error.h"
#include "aws/shape.h"
#include "http/message.h"
#include "wire/json.h"

namespace reef::aws {

// What a URI's {labels} stood for, percent-decoded.
struct UriLabels {
  std::vector<std::pair<std::string_view, std::string>> values;  // names point into the model
  const std::string* find(std::string_view name) const {
    for (const auto& [label, value] : values)
      if (label == name) return &value;
    return nullptr;
  }
};

// Paths of required members that a request lacked, as AWS writes them: "entries.1.member.id". A plain member of a
// struct cannot tell absent from empty; this can. aws/validate.h turns it into AWS's error.
using MissingMembers = std::vector<std::string>;

// Fills `input`, a default-constructed input struct of the operation. `body` is the whole body, de-chunked and
// inflated; a streaming member is left alone (the handler reads the body itself).
Reply<void> decode_request(const ServiceModel& service, const OperationModel& operation, Protocol protocol,
                           const http::Request& request, std::string_view body, const UriLabels& labels, void* input,
                           MissingMembers* missing = nullptr);

// Sets status, headers and body from an output struct. Headers already there stay unless the model names them.
void encode_reply(const ServiceModel& service, const OperationModel& operation, Protocol protocol, const void* output,
                  std::string_view request_id, http::Response& response);

// Sets status, headers and body for an error.
void encode_error(const ServiceModel& service, Protocol protocol, const Error& error, std::string_view request_id,
                  http::Response& response);

// --- Values as JSON by the model's own member names: for the store and callers inside ----------------------------
enum class UnknownMembers { kIgnore, kRefuse };

std::string to_json_text(const Shape& shape, const void* value);
wire::Json to_json(const Shape& shape, const void* value);
Reply<void> from_json_text(const Shape& shape, std::string_view json, void* value,
                           UnknownMembers unknown = UnknownMembers::kIgnore, MissingMembers* missing = nullptr);
Reply<void> from_json(const Shape& shape, const wire::Json& json, void* value,
                      UnknownMembers unknown = UnknownMembers::kIgnore, MissingMembers* missing = nullptr);

// to_json(output), from_json<sqs::SendMessageInput>(json)
template <class T>
wire::Json to_json(const T& value) {
  return to_json(shape_of(static_cast<const T*>(nullptr)), &value);
}
template <class T>
std::string to_json_text(const T& value) {
  return to_json_text(shape_of(static_cast<const T*>(nullptr)), &value);
}
template <class T>
Reply<T> from_json(const wire::Json& json, UnknownMembers unknown = UnknownMembers::kIgnore) {
  T value{};
  TRY(from_json(shape_of(static_cast<const T*>(nullptr)), json, &value, unknown));
  return value;
}
template <class T>
Reply<T> from_json_text(std::string_view json, UnknownMembers unknown = UnknownMembers::kIgnore) {
  T value{};
  TRY(from_json_text(shape_of(static_cast<const T*>(nullptr)), json, &value, unknown));
  return value;
}

// Entities by name, as one object.
template <class T>
wire::Json map_to_json(const std::map<std::string, T, std::less<>>& map) {
  wire::Json out = wire::Json::object();
  for (const auto& [key, value] : map) out.members().emplace_back(key, to_json(value));
  return out;
}
// What cannot be read is left out.
template <class T>
std::map<std::string, T, std::less<>> map_from_json(const wire::Json& json) {
  std::map<std::string, T, std::less<>> out;
  for (const auto& [key, value] : json.as_object())
    if (auto one = from_json<T>(value)) out.emplace(key, *std::move(one));
  return out;
}

}  // namespace reef::aws
