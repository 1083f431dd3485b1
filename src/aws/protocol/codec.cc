#include "aws/protocol/codec.h"

#include "aws/protocol/protocols.h"

namespace reef::aws {
namespace {

const ErrorShape* find_error(const ServiceModel& service, std::string_view code) {
  for (std::uint32_t i = 0; i < service.error_count; ++i)
    if (code == service.errors[i].code) return &service.errors[i];
  return nullptr;
}

}  // namespace

std::string_view query_code(const ErrorParts& error) {
  if (!error.error.query_code.empty()) return error.error.query_code;
  if (error.shape && error.shape->query_code) return error.shape->query_code;
  return error.error.code;
}

Reply<void> decode_request(const ServiceModel& service, const OperationModel& operation, Protocol protocol,
                           const http::Request& request, std::string_view body, const UriLabels& labels, void* input,
                           MissingMembers* missing) {
  const RequestParts parts{service, operation, request, body, labels, input, missing};
  switch (protocol) {
    case Protocol::kJson10:
    case Protocol::kJson11: return json::decode(parts);
    case Protocol::kQuery: return query::decode(parts);
    case Protocol::kEc2Query: return ec2_query::decode(parts);
    case Protocol::kRestJson: return rest_json::decode(parts);
    case Protocol::kRestXml: return rest_xml::decode(parts);
    case Protocol::kRpcV2Cbor: return rpc_cbor::decode(parts);
  }
  return {};
}

void encode_reply(const ServiceModel& service, const OperationModel& operation, Protocol protocol, const void* output,
                  std::string_view request_id, http::Response& response) {
  const ReplyParts parts{service, operation, output, request_id, response};
  // A handler that answers with a status of its own (206) has set it already.
  if (operation.status != 0 && response.status == 200) response.status = operation.status;
  switch (protocol) {
    case Protocol::kJson10: return json::encode(parts, false);
    case Protocol::kJson11: return json::encode(parts, true);
    case Protocol::kQuery: return query::encode(parts);
    case Protocol::kEc2Query: return ec2_query::encode(parts);
    case Protocol::kRestJson: return rest_json::encode(parts);
    case Protocol::kRestXml: return rest_xml::encode(parts);
    case Protocol::kRpcV2Cbor: return rpc_cbor::encode(parts);
  }
}

void encode_error(const ServiceModel& service, Protocol protocol, const Error& error, std::string_view request_id,
                  http::Response& response) {
  const ErrorParts parts{service, error, request_id, response, find_error(service, error.code)};
  response.status = error.status;
  switch (protocol) {
    case Protocol::kJson10: return json::encode_error(parts, false);
    case Protocol::kJson11: return json::encode_error(parts, true);
    case Protocol::kQuery: return query::encode_error(parts);
    case Protocol::kEc2Query: return ec2_query::encode_error(parts);
    case Protocol::kRestJson: return rest_json::encode_error(parts);
    case Protocol::kRestXml: return rest_xml::encode_error(parts);
    case Protocol::kRpcV2Cbor: return rpc_cbor::encode_error(parts);
  }
}

}  // namespace reef::aws
