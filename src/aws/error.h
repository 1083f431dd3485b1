// An AWS error on its way to a client, and the type of every handler's reply.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "aws/shape.h"
#include "base/result.h"
#include "wire/json.h"

namespace reef::aws {

struct Error {
  std::string code;      // "ResourceNotFoundException"
  std::string message;
  int status = 400;
  bool sender_fault = true;
  std::string query_code;  // for awsQuery and x-amzn-query-error when it differs from `code`
  std::string query_message;  // for awsQuery when it differs from `message`
  // Further members of the error's shape, by model name (for instance CancellationReasons, BucketName).
  wire::Json fields;

  Error() = default;
  // aws::Error(sqs::errors::kQueueDoesNotExist, "The specified queue does not exist.")
  Error(const ErrorShape& shape, std::string text)
      : code(shape.code), message(std::move(text)), status(shape.status), sender_fault(shape.sender_fault),
        query_code(shape.query_code ? shape.query_code : "") {}
  // For codes that AWS returns but does not model: they are named in aws/unmodelled_errors.h.
  Error(std::string error_code, std::string text, int http_status)
      : code(std::move(error_code)), message(std::move(text)), status(http_status), sender_fault(http_status < 500) {}
};

template <class T>
using Reply = Result<T, Error>;

}  // namespace reef::aws
