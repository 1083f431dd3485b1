// awsJson1.0 and awsJson1.1.
// https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
#include <fmt/format.h>

#include "aws/protocol/json_value.h"
#include "aws/protocol/protocols.h"

namespace reef::aws::json {
namespace {

// How a service's replies and errors differ from what its model says: services of one protocol were written at
// different times. Recorded from AWS.
struct Dialect {
  std::string_view service;
  std::string_view error_namespace = {};     // before error codes of the model: the class that threw; old clients cut at '#'
  std::string_view foreign_namespace = {};   // before those that it has not, but for ValidationException
  std::string_view java_package = {};        // its parser names its classes in its errors
  bool skips_empty_lists = false;
  bool capitalises_message = false;
};
constexpr std::string_view kCoral = "com.amazon.coral.service#";
constexpr Dialect kDialects[] = {
    {.service = "sqs", .error_namespace = "com.amazonaws.sqs#", .foreign_namespace = "com.amazonaws.sqs#", .skips_empty_lists = true},
    {.service = "dynamodb", .error_namespace = "com.amazonaws.dynamodb.v20120810#", .foreign_namespace = kCoral, .java_package = "com.amazonaws.dynamodb.v20120810"},
    {.service = "dynamodbstreams", .error_namespace = "com.amazonaws.dynamodb.v20120810#", .foreign_namespace = kCoral},
    {.service = "secretsmanager", .capitalises_message = true},
};

const Dialect& dialect_of(const ServiceModel& service) {
  static constexpr Dialect kPlain{.service = {}};
  for (const Dialect& each : kDialects)
    if (each.service == service.name) return each;
  return kPlain;
}

std::string_view error_namespace(const Dialect& dialect, const ErrorParts& error) {
  const std::string_view code = error.error.code;
  if (code == "SerializationException" || code == "UnknownOperationException") return kCoral;
  if (error.shape) return dialect.error_namespace;
  return code == "ValidationException" && dialect.foreign_namespace == kCoral ? "com.amazon.coral.validate#" : dialect.foreign_namespace;
}

}  // namespace

Reply<void> decode(const RequestParts& in) {
  wire::JsonReader reader(in.body.empty() ? std::string_view("{}") : in.body);
  TRY(read_json(*in.operation.input, reader, in.input, {.java_package = dialect_of(in.service).java_package}, in.missing));
  if (!reader.finish()) return Err(serialization_error(""));
  return {};
}

void encode(const ReplyParts& out, bool is_json11) {
  out.response.set("Content-Type", is_json11 ? "application/x-amz-json-1.1" : "application/x-amz-json-1.0");
  out.response.set("x-amzn-RequestId", out.request_id);
  // Operations without output have an empty body in awsJson1.1; "{}" is what clients of both accept.
  if (out.operation.output->member_count == 0 && is_json11) return;
  wire::JsonWriter writer(out.response.body);
  write_json(*out.operation.output, out.output, writer, {.skip_empty_lists = dialect_of(out.service).skips_empty_lists});
}

void encode_error(const ErrorParts& out, bool is_json11) {
  out.response.set("Content-Type", is_json11 ? "application/x-amz-json-1.1" : "application/x-amz-json-1.0");
  out.response.set("x-amzn-RequestId", out.request_id);
  if (out.service.query_compatible)
    out.response.set("x-amzn-query-error",
                     fmt::format("{};{}", query_code(out), out.error.sender_fault ? "Sender" : "Receiver"));
  out.response.body.clear();
  wire::JsonWriter writer(out.response.body);
  const Dialect& dialect = dialect_of(out.service);
  writer.begin_object();
  writer.key("__type");
  writer.string(fmt::format("{}{}", error_namespace(dialect, out), out.error.code));
  const bool is_unread = out.error.code == "SerializationException";
  const bool is_capitalised = is_unread || dialect.capitalises_message;
  if (!out.error.message.empty() || !is_unread) {
    writer.key(is_capitalised ? "Message" : "message");
    writer.string(out.error.message);
  }
  for (const auto& [name, value] : out.error.fields.as_object()) {
    writer.key(name);
    writer.raw(value.dump());
  }
  writer.end_object();
}

}  // namespace reef::aws::json
