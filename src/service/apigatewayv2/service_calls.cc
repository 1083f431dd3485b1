#include "service/apigatewayv2/service_calls.h"

#include <algorithm>

#include <fmt/format.h>

#include "aws/models/eventbridge.h"
#include "aws/models/sqs.h"
#include "aws/protocol/codec.h"
#include "service/apigatewayv2/api_store.h"

namespace reef::service::apigatewayv2 {
namespace {

using wire::Json;

enum class Form { kText, kJson };   // kJson: a list or map, written as JSON

struct Parameter {
  std::string_view name;
  bool is_required = false;
  Form form = Form::kText;
};

struct Subtype {
  std::string_view name, service;
  const aws::ServiceModel* model;
  const aws::OperationModel* operation;
  aws::Protocol protocol;             // of the answer
  void (*encode)(const Subtype& subtype, const Json& output, std::string_view request_id, http::Response& response);
  std::vector<Parameter> parameters;  // but "Region", which all have
};

template <class Output>
void encode_as(const Subtype& subtype, const Json& output, std::string_view request_id, http::Response& response) {
  const Output typed = aws::from_json<Output>(output).value_or(Output{});
  aws::encode_reply(*subtype.model, *subtype.operation, subtype.protocol, &typed, request_id, response);
}

const std::vector<Subtype>& subtypes() {
  namespace sqs = aws::sqs;
  namespace events = aws::eventbridge;
  static const std::vector<Subtype> all = {
      {"EventBridge-PutEvents", "eventbridge", &events::kModel, &events::ops::kPutEvents, aws::Protocol::kJson11, encode_as<events::PutEventsOutput>,
       {{"Detail", true}, {"DetailType", true}, {"Source", true}, {"Time"}, {"EventBusName"}, {"Resources", false, Form::kJson}, {"TraceHeader"}}},
      {"SQS-SendMessage", "sqs", &sqs::kModel, &sqs::ops::kSendMessage, aws::Protocol::kQuery, encode_as<sqs::SendMessageOutput>,
       {{"QueueUrl", true}, {"MessageBody", true}, {"DelaySeconds"}, {"MessageAttributes", false, Form::kJson}, {"MessageDeduplicationId"}, {"MessageGroupId"}, {"MessageSystemAttributes", false, Form::kJson}}},
      {"SQS-ReceiveMessage", "sqs", &sqs::kModel, &sqs::ops::kReceiveMessage, aws::Protocol::kQuery, encode_as<sqs::ReceiveMessageOutput>,
       {{"QueueUrl", true}, {"AttributeNames", false, Form::kJson}, {"MaxNumberOfMessages"}, {"MessageAttributeNames", false, Form::kJson}, {"ReceiveRequestAttemptId"}, {"VisibilityTimeout"}, {"WaitTimeSeconds"}}},
      {"SQS-DeleteMessage", "sqs", &sqs::kModel, &sqs::ops::kDeleteMessage, aws::Protocol::kQuery, encode_as<sqs::DeleteMessageOutput>, {{"QueueUrl", true}, {"ReceiptHandle", true}}},
      {"SQS-PurgeQueue", "sqs", &sqs::kModel, &sqs::ops::kPurgeQueue, aws::Protocol::kQuery, encode_as<sqs::PurgeQueueOutput>, {{"QueueUrl", true}}},
  };
  return all;
}

const Subtype* find_subtype(std::string_view name) {
  const auto found = std::ranges::find(subtypes(), name, &Subtype::name);
  return found == subtypes().end() ? nullptr : &*found;
}

http::Response bad(std::string_view text) {
  http::Response out;
  out.status = 400;
  out.set("content-type", "application/json");
  out.body = Json::object({{"message", text}}).dump();
  return out;
}

}  // namespace

bool is_subtype(std::string_view name) { return find_subtype(name) != nullptr; }

aws::Reply<void> check_subtype(std::string_view subtype, const ParameterMap& parameters) {
  const Subtype* const found = find_subtype(subtype);
  if (!found) return Err(aws::Error("NotImplemented", fmt::format("The integration subtype {} is not supported by this version of Atoll.", subtype), 501));
  for (const Parameter& one : found->parameters)
    if (one.is_required && !parameters.contains(one.name)) return Err(bad_request(fmt::format("Parameter: {} does not exist in RequestParameters for {}", one.name, subtype)));
  for (const auto& [name, value] : parameters)
    if (name != "Region" && std::ranges::find(found->parameters, name, &Parameter::name) == found->parameters.end())
      return Err(bad_request(fmt::format("Parameter: {} does not fit schema for Operation: {}", name, subtype)));
  return {};
}

Task<http::Response> call_service(aws::Caller& caller, aws::Call call, std::string_view subtype, const ParameterMap& parameters, const MappingValues& values) {
  const Subtype* const found = find_subtype(subtype);
  if (!found) co_return bad("Bad Request");
  Json input = Json::object();
  for (const Parameter& one : found->parameters) {
    const auto expression = parameters.find(one.name);
    if (expression == parameters.end()) continue;
    const auto value = map_value(expression->second, values);
    if (!value) {
      if (one.is_required) co_return bad("Bad Request");
      continue;
    }
    if (one.form == Form::kText) {
      input.set(one.name, *value);
      continue;
    }
    auto json = Json::parse(*value);
    if (!json) co_return bad("Bad Request");
    input.set(one.name, *std::move(json));
  }
  if (const auto region = parameters.find("Region"); region != parameters.end()) call.region = map_value(region->second, values).value_or(call.region);
  const bool is_event = found->service == "eventbridge";
  const std::string request_id = call.request_id;
  const auto answered = co_await caller.invoke_json(call, found->service, found->operation->name, is_event ? Json::object({{"Entries", Json::array({std::move(input)})}}) : std::move(input));
  http::Response out;
  if (!answered) {
    aws::encode_error(*found->model, found->protocol, answered.error(), request_id, out);
    co_return out;
  }
  found->encode(*found, *answered, request_id, out);
  co_return out;
}

}  // namespace reef::service::apigatewayv2
