// One request to one operation, as a handler sees it: who calls, where, when, and by when it must be answered.
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"
#include "http/message.h"

namespace reef::aws {

struct Principal {
  std::string arn;         // "arn:aws:iam::000000000000:root"
  std::string user_id;     // unique id
  std::string account;     // "000000000000"
  std::string access_key;  // "" for anonymous calls
  bool anonymous = false;
};

struct Call {
  std::string account;     // the account whose resources are meant
  std::string region;      // "us-east-1"
  std::string_view partition = "aws";
  Principal principal;
  std::string request_id;
  Time now{};
  Time deadline{};
  std::string_view service;    // model name: "sqs"
  std::string_view operation;  // "SendMessage"
  std::string trace_id;        // X-Amzn-Trace-Id of this call: "Root=1-...;Parent=...;Sampled=1"
  bool is_traced = false;      // the client sent that trace itself, rather than Atoll having begun it
  std::string endpoint;        // how the caller reached us: "http://localhost:4566", for URLs in replies
  std::string user_agent;
  bool via_query_protocol = false;
  // The HTTP exchange, for operations whose input or output is a stream and for S3's addressing; nullptr for
  // calls from inside.
  http::Request* http_request = nullptr;
  // Set by a handler whose output is a stream: sent instead of the output's payload member.
  mutable http::Response* http_response = nullptr;

  // "arn:aws:sqs:us-east-1:000000000000:orders"
  std::string arn(std::string_view service_name, std::string_view resource) const;
};

}  // namespace reef::aws
