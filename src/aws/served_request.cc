#include "aws/served_request.h"

#include "aws/proxy_event.h"
#include "base/encoding.h"

namespace reef::aws {
namespace {

// A member of the authorizer's context, whose own name may have dots: "claims.sub", "jwt.claims.sub", "tenant".
std::string member_of(const wire::Json& context, std::string_view name) {
  if (const wire::Json* const direct = context.find(name)) return direct->scalar_text().value_or(direct->is_null() ? "" : direct->dump());
  for (const auto& [key, inner] : context.as_object()) {
    const bool is_below = inner.is_object() && name.starts_with(key) && name.size() > key.size() && name[key.size()] == '.';
    if (is_below) return member_of(inner, name.substr(key.size() + 1));
  }
  // JWT claims and what functions said are named without saying which of the two it is.
  for (const char* kind : {"jwt", "lambda"})
    if (const wire::Json* const inner = context.find(kind); inner && inner->is_object()) return member_of(*inner, name);
  return {};
}

std::string millis_of(std::int64_t micros) { return std::to_string((micros + 500) / 1000); }

}  // namespace

std::string ServedRequest::value(std::string_view name) const {
  constexpr std::string_view kAuthorizer = "authorizer.";
  if (name == "requestId" || name == "extendedRequestId") return request_id;
  if (name == "status") return std::to_string(status);
  if (name == "httpMethod") return request.method;
  if (name == "path") return percent_decode(path);
  if (name == "protocol") return std::string(protocol_of(request));
  if (name == "routeKey") return route_key;
  if (name == "resourcePath") return resource_path;
  if (name == "resourceId") return resource_id;
  if (name == "stage") return stage;
  if (name == "apiId") return api_id;
  if (name == "accountId") return account;
  if (name == "domainName") return domain;
  if (name == "domainPrefix") return domain.substr(0, domain.find('.'));
  if (name == "requestTime") return request_time(at);
  if (name == "requestTimeEpoch") return std::to_string(at.time_since_epoch().count() / 1000);
  if (name == "responseLength" || name == "dataProcessed") return std::to_string(response_bytes);
  if (name == "responseLatency") return millis_of(latency_micros);
  if (name == "identity.sourceIp") return source_ip(request);
  if (name == "identity.userAgent") return std::string(request.header("user-agent"));
  if (const wire::Json* const iam = name.starts_with("identity.") ? authorizer.find("iam") : nullptr) {
    const std::string_view what = name.substr(std::string_view("identity.").size());
    return iam->text(what == "caller" ? "callerId" : what == "user" ? "userId" : what);
  }
  if (name == "error.message" || name == "error.messageString") return name == "error.message" || error.empty() ? error : wire::Json(error).dump();
  if (name == "error.responseType") return error_type;
  if (integration_micros >= 0) {
    if (name == "integrationLatency" || name == "integration.latency") return millis_of(integration_micros);
    if (name == "integrationStatus" || name == "integration.status" || name == "integration.integrationStatus") return std::to_string(integration_status);
    if (name == "integrationErrorMessage" || name == "integration.error") return error;
  }
  if (name.starts_with(kAuthorizer)) return member_of(authorizer, name.substr(kAuthorizer.size()));
  return {};
}

}  // namespace reef::aws
