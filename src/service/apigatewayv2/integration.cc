#include "service/apigatewayv2/integration.h"

#include <fmt/format.h>

#include "service/apigatewayv2/service_calls.h"

namespace reef::service::apigatewayv2 {

aws::Reply<void> check_integration(const model::Integration& integration) {
  const std::string type = integration.integration_type.value_or("");
  if (type != "AWS_PROXY" && type != "HTTP_PROXY")
    return Err(bad_request(fmt::format("Invalid integration type specified: {}. HTTP APIs take AWS_PROXY and HTTP_PROXY.", type)));
  if (integration.connection_type.value_or("INTERNET") != "INTERNET")
    return Err(aws::Error("NotImplemented", "VPC_LINK integrations are not supported by this version of Atoll.", 501));
  const ParameterMap parameters = integration.request_parameters.value_or(ParameterMap{});
  if (integration.integration_subtype) {
    TRY(check_subtype(*integration.integration_subtype, parameters));
  } else {
    TRY(check_request_parameters(parameters));
    if (!integration.integration_uri || integration.integration_uri->empty()) return Err(bad_request("IntegrationUri is required"));
  }
  if (integration.response_parameters) TRY(check_response_parameters(*integration.response_parameters));
  const std::string version = integration.payload_format_version.value_or("");
  if (version.empty()) return Err(bad_request("PayloadFormatVersion is a required parameter for integration"));
  if (version != "1.0" && version != "2.0") return Err(bad_request(fmt::format("Invalid payload format version {}", version)));
  const std::int32_t timeout = integration.timeout_in_millis.value_or(30'000);
  if (timeout < 50 || timeout > 30'000) return Err(bad_request("Timeout should be between 50 ms and 30000 ms"));
  return {};
}

}  // namespace reef::service::apigatewayv2
