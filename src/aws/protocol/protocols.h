// The protocols behind codec.h, one file each.
#pragma once

#include "aws/protocol/codec.h"

namespace reef::aws {

struct RequestParts {
  const ServiceModel& service;
  const OperationModel& operation;
  const http::Request& request;
  std::string_view body;
  const UriLabels& labels;
  void* input;
  MissingMembers* missing;
};
struct ReplyParts {
  const ServiceModel& service;
  const OperationModel& operation;
  const void* output;
  std::string_view request_id;
  http::Response& response;
};
struct ErrorParts {
  const ServiceModel& service;
  const Error& error;
  std::string_view request_id;
  http::Response& response;
  const ErrorShape* shape;  // as the model declares it; nullptr for errors that it does not
};

namespace json {
Reply<void> decode(const RequestParts& in);
void encode(const ReplyParts& out, bool is_json11);
void encode_error(const ErrorParts& out, bool is_json11);
}  // namespace json
namespace query {
Reply<void> decode(const RequestParts& in);
void encode(const ReplyParts& out);
void encode_error(const ErrorParts& out);
}  // namespace query
namespace ec2_query {
Reply<void> decode(const RequestParts& in);
void encode(const ReplyParts& out);
void encode_error(const ErrorParts& out);
}  // namespace ec2_query
namespace rest_json {
Reply<void> decode(const RequestParts& in);
void encode(const ReplyParts& out);
void encode_error(const ErrorParts& out);
}  // namespace rest_json
namespace rest_xml {
Reply<void> decode(const RequestParts& in);
void encode(const ReplyParts& out);
void encode_error(const ErrorParts& out);
}  // namespace rest_xml
namespace rpc_cbor {
Reply<void> decode(const RequestParts& in);
void encode(const ReplyParts& out);
void encode_error(const ErrorParts& out);
}  // namespace rpc_cbor

// The code that the query protocols and x-amzn-query-error use for the error.
std::string_view query_code(const ErrorParts& error);

}  // namespace reef::aws
