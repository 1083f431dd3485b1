// restJson1.
// https://smithy.io/2.0/aws/protocols/aws-restjson1-protocol.html
#include <fmt/format.h>

#include "aws/protocol/json_value.h"
#include "aws/protocol/rest.h"
#include "aws/protocol/scalar.h"
#include "base/text.h"

namespace reef::aws::rest_json {
namespace {

Error bad_binding(const Member& member, std::string_view text) {
  return serialization_error(fmt::format("'{}' can not be converted to {} at '{}'", text, kind_name(member.shape->kind), member.wire_name));
}

bool is_header_member(const ErrorShape* shape, std::string_view name) {
  if (!shape || !shape->shape) return false;
  for (std::uint32_t i = 0; i < shape->shape->member_count; ++i) {
    const Member& member = shape->shape->members[i];
    if (member.location == Location::kHeader && name == member.name) return true;
  }
  return false;
}

}  // namespace

Reply<void> decode(const RequestParts& in) {
  const Shape& input = *in.operation.input;
  TRY(rest::decode_bindings(in, bad_binding));
  if (const Member* payload = rest::payload_member(input)) {
    const Kind kind = payload->shape->kind;
    if (payload->streaming || payload->shape->event_stream) return {};
    if (kind == Kind::kBlob || kind == Kind::kString) {
      if (!rest::read_raw_payload(*payload, in.body, in.input)) return Err(serialization_error("The body is not valid UTF-8"));
    } else if (!in.body.empty()) {
      wire::JsonReader reader(in.body);
      TRY(read_json(*payload->shape, reader, make_value(*payload, in.input), {.wire_names = true}, in.missing));
      if (!reader.finish()) return Err(serialization_error("Could not parse request body into json"));
      return {};
    }
    if (in.body.empty() && payload->required && in.missing) in.missing->push_back(member_path_name(payload->name));
    return {};
  }
  if (!rest::has_body_members(input)) return {};
  wire::JsonReader reader(in.body.empty() ? std::string_view("{}") : in.body);
  auto done = read_json(input, reader, in.input, {.wire_names = true, .body_only = true}, in.missing);
  if (!done) {
    if (done.error().message.empty() && reader.error())
      return Err(serialization_error(fmt::format("Could not parse request body into json: {} (offset {})", reader.error(), reader.offset())));
    return done;
  }
  if (!reader.finish()) return Err(serialization_error("Could not parse request body into json: text after the value"));
  return {};
}

void encode(const ReplyParts& out) {
  out.response.set("x-amzn-RequestId", out.request_id);
  if (rest::encode_bindings(out)) return;
  const Shape& output = *out.operation.output;
  if (out.response.status == 204) return;
  if (!out.response.find("Content-Type")) out.response.set("Content-Type", "application/json");
  wire::JsonWriter writer(out.response.body);
  if (const Member* payload = rest::payload_member(output))
    write_json(*payload->shape, value_of(*payload, out.output), writer, {.wire_names = true}, payload);
  else
    write_json(output, out.output, writer, {.wire_names = true, .body_only = true});
}

void encode_error(const ErrorParts& out) {
  out.response.set("Content-Type", "application/json");
  out.response.set("x-amzn-RequestId", out.request_id);
  out.response.set("x-amzn-ErrorType", out.error.code);
  rest::encode_error_headers(out);
  // Services spell the message's member each in its own way; clients look for the model's.
  std::string_view message_name = std::string_view(out.service.name) == "lambda" ? "Message" : "message";
  bool has_type = std::string_view(out.service.name) == "lambda";
  if (out.shape && out.shape->shape) {
    has_type = false;
    for (std::uint32_t i = 0; i < out.shape->shape->member_count; ++i) {
      const Member& member = out.shape->shape->members[i];
      if (equals_ignoring_case(member.wire_name, "message")) message_name = member.wire_name;
      has_type = has_type || std::string_view(member.name) == "Type";
    }
  }
  out.response.body.clear();
  wire::JsonWriter writer(out.response.body);
  writer.begin_object();
  if (has_type && !out.error.fields.contains("Type")) {
    writer.key("Type");
    writer.string(out.error.sender_fault ? "User" : "Service");
  }
  writer.key(message_name);
  writer.string(out.error.message);
  for (const auto& [name, value] : out.error.fields.as_object()) {
    if (is_header_member(out.shape, name)) continue;
    writer.key(name);
    writer.raw(value.dump());
  }
  writer.end_object();
}

}  // namespace reef::aws::rest_json
