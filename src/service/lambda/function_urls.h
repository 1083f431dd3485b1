// Function URLs: HTTP requests to {id}.lambda-url.<region>.<host> become events, and answers become responses.
// https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
#pragma once

#include <string>
#include <string_view>

#include "aws/call.h"
#include "base/task.h"
#include "service/lambda/lambda.h"

namespace reef::service::lambda {

// "http://<id>.lambda-url.<region>.localhost:4566/"
std::string url_text(const std::string& id, const std::string& region, std::string_view endpoint);

// The edge's door to function URLs. Found through Parts; callable from any shard.
class FunctionUrls {
 public:
  explicit FunctionUrls(Lambda& lambda) : lambda_(lambda) {}
  // Whether a request is for a function URL, by its host.
  static bool wants(const http::Request& request);
  Task<http::Response> serve(http::Request& request);

 private:
  Lambda& lambda_;
};

// The event of payload format 2.0; `signer` may be null. Pure.
std::string url_event(const http::Request& request, const std::string& id, const std::string& body, const std::string& request_id, Time now, const aws::Principal* signer);
// What a function's buffered answer means. Pure.
http::Response url_response(const std::string& payload);

}  // namespace reef::service::lambda
