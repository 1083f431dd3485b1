// awsJson1.0 and awsJson1.1.
// https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
#include <fmt/format.h>

#include "aws/protocol/json_value.h"
#include "aws/protocol/protocols.h"

namespace reef::aws::json {
namespace {

// AWS puts the name of the class that threw before some services' error codes, and old clients cut at '#'.
std::string_view error_namespace(const ErrorParts& error) {
  const std::string_view service = error.service.name, code = error.error.code;
  if (code == "SerializationException" || code == "UnknownOperationException") return "com.amazon.coral.service#";
  if (service == "sqs") return "com.amazonaws.sqs#";
  if (service == "dynamodb" || service == "dynamodbstreams") {
    if (error.shape) return "com.amazonaws.dynamodb.v20120810#";
    return code == "ValidationException" ? "com.amazon.coral.validate#" : "com.amazon.coral.service#";
  }
  return "";
}

// Whose parser's errors name its classes: those of DynamoDB were recorded.
JsonRules request_rules(const ServiceModel& service) {
  const std::string_view name = service.name;
  return {.java_package = name == "dynamodb" ? std::string_view("com.amazonaws.dynamodb.v20120810") : std::string_view()};
}

}  // namespace

Reply<void> decode(const RequestParts& in) {
  wire::JsonReader reader(in.body.empty() ? std::string_view("{}") : in.body);
  TRY(read_json(*in.operation.input, reader, in.input, request_rules(in.service), in.missing));
  if (!reader.finish()) return Err(serialization_error(""));
  return {};
}

void encode(const ReplyParts& out, bool is_json11) {
  out.response.set("Content-Type", is_json11 ? "application/x-amz-json-1.1" : "application/x-amz-json-1.0");
  out.response.set("x-amzn-RequestId", out.request_id);
  // Operations without output have an empty body in awsJson1.1; "{}" is what clients of both accept.
  if (out.operation.output->member_count == 0 && is_json11) return;
  wire::JsonWriter writer(out.response.body);
  write_json(*out.operation.output, out.output, writer, {.skip_empty_lists = std::string_view(out.service.name) == "sqs"});
}

void encode_error(const ErrorParts& out, bool is_json11) {
  out.response.set("Content-Type", is_json11 ? "application/x-amz-json-1.1" : "application/x-amz-json-1.0");
  out.response.set("x-amzn-RequestId", out.request_id);
  if (out.service.query_compatible)
    out.response.set("x-amzn-query-error",
                     fmt::format("{};{}", query_code(out), out.error.sender_fault ? "Sender" : "Receiver"));
  out.response.body.clear();
  wire::JsonWriter writer(out.response.body);
  writer.begin_object();
  writer.key("__type");
  writer.string(fmt::format("{}{}", error_namespace(out), out.error.code));
  const bool is_capitalised = out.error.code == "SerializationException";
  if (!out.error.message.empty() || !is_capitalised) {
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
