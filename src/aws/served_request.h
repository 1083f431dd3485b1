// What is known of a request that an API's stage has served, by the names of API Gateway's $context variables: what
// access logs are made of.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.h"
#include "http/message.h"
#include "wire/json.h"

namespace reef::aws {

struct ServedRequest {
  // Refers to the request, which outlives this: made for every request, read only by those whose stage writes a log or
  // maps parameters.
  explicit ServedRequest(const http::Request& of) : request(of) {}

  // "identity.sourceIp", "status", "authorizer.claims.sub"; "" for what is not known.
  std::string value(std::string_view name) const;

  const http::Request& request;
  std::string path;                       // still encoded
  std::string account, api_id, stage, domain, request_id;
  std::string route_key;                  // HTTP APIs: "GET /orders/{id}"
  std::string resource_path, resource_id;  // REST APIs
  std::string error;                      // why the stage refused it, or the integration failed
  std::string error_type;                 // REST APIs: the gateway response, "UNAUTHORIZED"
  wire::Json authorizer;                  // as in events
  Time at{};
  int status = 0;
  int integration_status = 0;             // what the integration answered; 0 when none was asked
  std::uint64_t response_bytes = 0;
  std::int64_t latency_micros = 0;
  std::int64_t integration_micros = -1;   // -1: none was asked
};

}  // namespace reef::aws
