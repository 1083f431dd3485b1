// Replies of the query protocol as JSON, which its services give to clients whose Accept asks for it: tools that sign a
// GetCallerIdentity for somebody else to send expect them.
// {"GetCallerIdentityResponse": {"GetCallerIdentityResult": {...}, "ResponseMetadata": {"RequestId": "..."}}}
// https://github.com/kubernetes-sigs/aws-iam-authenticator/blob/master/pkg/token/token.go
#pragma once

#include <string>

#include "aws/error.h"
#include "aws/shape.h"
#include "http/message.h"

namespace reef::gateway {

// SQS is left out: what it calls its members then is not published.
bool wants_query_as_json(const http::Request& request, const aws::ServiceModel& service, aws::Protocol protocol);
// Members that are absent are null.
void encode_query_as_json(const aws::OperationModel& operation, const void* output, const std::string& request_id, http::Response& response);
// Replaces the body and its type; the status is there already.
void encode_query_error_as_json(const aws::Error& error, const std::string& request_id, http::Response& response);

}  // namespace reef::gateway
