// The HTTP API that a runtime and its extensions talk to, inside their sandbox.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
#pragma once

#include <memory>

#include "engine/function/environment.h"
#include "http/message.h"

namespace reef::function {

class RuntimeApi {
 public:
  static Task<http::Response> serve(std::shared_ptr<Environment> environment, http::Request& request);

 private:
  using Self = std::shared_ptr<Environment>;
  static Task<http::Response> assignment(Self environment);
  static Task<http::Response> next(Self environment);
  static Task<http::Response> response(Self environment, std::string request_id, http::Request& request);
  static Task<http::Response> stream(Self environment, http::Request& request);
  static Task<http::Response> error(Self environment, std::string request_id, http::Request& request);
  static Task<http::Response> init_error(Self environment, http::Request& request);
  static Task<http::Response> register_extension(Self environment, http::Request& request);
  static Task<http::Response> next_event(Self environment, http::Request& request);
  static Task<http::Response> extension_error(Self environment, http::Request& request, bool at_init);
};

}  // namespace reef::function
