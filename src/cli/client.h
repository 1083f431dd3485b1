// The command's view of a running daemon: AWS operations by name, and plain HTTP, one at a time.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "wire/json.h"

namespace reef::cli {

struct Target {
  int port = 4566;
  std::string region = "us-east-1";
};

// An error as the daemon words it; `code` is AWS's.
struct CallError {
  std::string code, message;
};

// Any served operation, with input and output by the model's member names.
Result<wire::Json, CallError> call(const Target& target, std::string_view service, std::string_view operation, wire::Json input);

struct HttpReply {
  int status = 0;
  std::string body;
};
Result<HttpReply, Failure> send(const Target& target, std::string method, std::string path, std::string body = {},
                                std::string content_type = "application/json");

// Prints the error with what to do about it; gives 1, for use as an exit status.
int complain(const CallError& error);

}  // namespace reef::cli
