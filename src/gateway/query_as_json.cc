#include "gateway/query_as_json.h"

#include "aws/protocol/codec.h"
#include "base/text.h"

namespace reef::gateway {
namespace {

using wire::Json;

constexpr std::string_view kJson = "application/json";

// The same with null for what structures have not.
Json with_nulls(const aws::Shape& shape, const Json& value) {
  if (shape.kind == aws::Kind::kList && value.is_array()) {
    Json out = Json::array();
    for (const Json& element : value.as_array()) out.push_back(with_nulls(*shape.element, element));
    return out;
  }
  if (shape.kind == aws::Kind::kMap && value.is_object()) {
    Json out = Json::object();
    for (const auto& [key, element] : value.as_object()) out.set(key, with_nulls(*shape.element, element));
    return out;
  }
  if (shape.kind != aws::Kind::kStructure || !value.is_object()) return value;
  Json out = Json::object();
  for (std::uint32_t i = 0; i < shape.member_count; ++i) {
    const aws::Member& member = shape.members[i];
    const Json* const found = value.find(member.name);
    out.set(member.name, found ? with_nulls(*member.shape, *found) : Json());
  }
  return out;
}

}  // namespace

bool wants_query_as_json(const http::Request& request, const aws::ServiceModel& service, aws::Protocol protocol) {
  return protocol == aws::Protocol::kQuery && std::string_view(service.name) != "sqs" && equals_ignoring_case(trim(request.header("accept")), kJson);
}

void encode_query_as_json(const aws::OperationModel& operation, const void* output, const std::string& request_id, http::Response& response) {
  Json inner = Json::object();
  if (operation.result_wrapper) inner.set(operation.result_wrapper, with_nulls(*operation.output, aws::to_json(*operation.output, output)));
  inner.set("ResponseMetadata", Json::object({{"RequestId", request_id}}));
  response.status = operation.status;
  response.set("content-type", kJson);
  response.body = Json::object({{std::string(operation.name) + "Response", std::move(inner)}}).dump();
}

void encode_query_error_as_json(const aws::Error& error, const std::string& request_id, http::Response& response) {
  response.set("content-type", kJson);
  response.body = Json::object({{"Error", Json::object({{"Code", error.query_code.empty() ? error.code : error.query_code},
                                                        {"Message", error.query_message.empty() ? error.message : error.query_message},
                                                        {"Type", error.sender_fault ? "Sender" : "Receiver"}})},
                                {"RequestId", request_id}}).dump();
}

}  // namespace reef::gateway
