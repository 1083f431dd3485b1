#include "service/apigateway/refusals.h"

#include <algorithm>

#include "base/text.h"
#include "wire/form.h"
#include "wire/json.h"

namespace reef::service::apigateway {
namespace {

using wire::Json;
using aws::apigateway::GatewayResponse;

constexpr std::string_view kDefaultTemplate = "{\"message\":$context.error.messageString}";

bool is_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.'; }

// The most special response that an API words itself.
const GatewayResponse* chosen(const Refusal& refusal, const CustomResponses& own) {
  if (const auto found = own.find(refusal.type); found != own.end()) return &found->second;
  const auto found = own.find(refusal.status < 500 ? "DEFAULT_4XX" : "DEFAULT_5XX");
  return found == own.end() ? nullptr : &found->second;
}

std::string quoted(std::string_view text) {
  std::string out;
  wire::append_json_string(out, text);
  return out;
}

// "context.error.x", which only a refusal knows.
std::string value_of(std::string_view name, const Refusal& refusal, const aws::ProxyRequest& request) {
  constexpr std::string_view kError = "context.error.";
  if (!name.starts_with(kError)) return request_value(name, request);
  const std::string_view what = name.substr(kError.size());
  if (what == "message") return refusal.message;
  if (what == "messageString") return refusal.has_message ? quoted(refusal.message) : "null";
  if (what == "responseType") return std::string(!refusal.type.empty() ? refusal.type : refusal.status < 500 ? "DEFAULT_4XX" : "DEFAULT_5XX");
  if (what == "validationErrorString") return quoted(refusal.validation);
  return {};
}

// The template for what the client accepts, otherwise JSON's, otherwise the first.
const std::pair<const std::string, std::string>* template_for(const GatewayResponse& response, std::string_view accept) {
  if (!response.response_templates || response.response_templates->empty()) return nullptr;
  const auto& all = *response.response_templates;
  for (const std::string_view each : split(accept, ','))
    if (const auto found = all.find(std::string(trim(each.substr(0, each.find(';'))))); found != all.end()) return &*found;
  const auto json = all.find("application/json");
  return json != all.end() ? &*json : &*all.begin();
}

}  // namespace

Refusal missing_token() { return {.type = "MISSING_AUTHENTICATION_TOKEN", .status = 403, .message = "Missing Authentication Token", .error_type = "MissingAuthenticationTokenException", .validation = {}}; }
Refusal unauthorized() { return {.type = "UNAUTHORIZED", .status = 401, .message = "Unauthorized", .error_type = "UnauthorizedException", .validation = {}}; }
Refusal denied(std::string message) { return {.type = "ACCESS_DENIED", .status = 403, .message = std::move(message), .error_type = "AccessDeniedException", .member = "Message", .validation = {}}; }
Refusal authorizer_broken() { return {.type = "AUTHORIZER_CONFIGURATION_ERROR", .status = 500, .message = {}, .error_type = "AuthorizerConfigurationException", .has_message = false, .validation = {}}; }
Refusal invalid_key() { return {.type = "INVALID_API_KEY", .status = 403, .message = "Forbidden", .error_type = "ForbiddenException", .validation = {}}; }
Refusal throttled() { return {.type = "THROTTLED", .status = 429, .message = "Too Many Requests", .error_type = "TooManyRequestsException", .validation = {}}; }
Refusal quota_exceeded() { return {.type = "QUOTA_EXCEEDED", .status = 429, .message = "Limit Exceeded", .error_type = "LimitExceededException", .validation = {}}; }
Refusal bad_body(std::string why) { return {.type = "BAD_REQUEST_BODY", .status = 400, .message = "Invalid request body", .error_type = "BadRequestException", .validation = std::move(why)}; }
Refusal bad_parameters(std::string message) { return {.type = "BAD_REQUEST_PARAMETERS", .status = 400, .message = message, .error_type = "BadRequestException", .validation = message}; }
Refusal internal_error() { return {.type = "API_CONFIGURATION_ERROR", .status = 500, .message = "Internal server error", .error_type = "InternalServerErrorException", .validation = {}}; }
Refusal bad_gateway() { return {.type = {}, .status = 502, .message = "Internal server error", .error_type = "InternalServerErrorException", .validation = {}}; }
Refusal integration_timeout() { return {.type = "INTEGRATION_TIMEOUT", .status = 504, .message = "Endpoint request timed out", .error_type = "InternalServerErrorException", .validation = {}}; }
Refusal too_large() { return {.type = "REQUEST_TOO_LARGE", .status = 413, .message = "HTTP content length exceeded 10485760 bytes.", .error_type = "RequestTooLargeException", .validation = {}}; }

const std::vector<RefusalType>& refusal_types() {
  static const std::vector<RefusalType> all = {
      {"ACCESS_DENIED", "403"}, {"API_CONFIGURATION_ERROR", "500"}, {"AUTHORIZER_CONFIGURATION_ERROR", "500"}, {"AUTHORIZER_FAILURE", "500"},
      {"BAD_REQUEST_BODY", "400"}, {"BAD_REQUEST_PARAMETERS", "400"}, {"DEFAULT_4XX", ""}, {"DEFAULT_5XX", ""}, {"EXPIRED_TOKEN", "403"},
      {"INTEGRATION_FAILURE", "504"}, {"INTEGRATION_TIMEOUT", "504"}, {"INVALID_API_KEY", "403"}, {"INVALID_SIGNATURE", "403"},
      {"MISSING_AUTHENTICATION_TOKEN", "403"}, {"QUOTA_EXCEEDED", "429"}, {"REQUEST_TOO_LARGE", "413"}, {"RESOURCE_NOT_FOUND", "404"},
      {"THROTTLED", "429"}, {"UNAUTHORIZED", "401"}, {"UNSUPPORTED_MEDIA_TYPE", "415"}, {"WAF_FILTERED", "403"}};
  return all;
}

GatewayResponse default_response(std::string_view type) {
  GatewayResponse out;
  out.response_type = std::string(type);
  for (const RefusalType& each : refusal_types())
    if (each.name == type && !each.status.empty()) out.status_code = std::string(each.status);
  out.response_parameters.emplace();
  out.response_templates = {{"application/json", std::string(kDefaultTemplate)}};
  out.default_response = true;
  return out;
}

std::string request_value(std::string_view name, const aws::ProxyRequest& request) {
  constexpr std::string_view kHeader = "method.request.header.", kQuery = "method.request.querystring.", kPath = "method.request.path.",
                             kVariable = "stageVariables.", kContext = "context.", kAuthorizer = "authorizer.";
  if (name.starts_with(kHeader)) return std::string(request.http.header(to_lower(name.substr(kHeader.size()))));
  if (name.starts_with(kQuery)) return std::string(wire::Form(request.http.query).value(name.substr(kQuery.size())));
  if (name.starts_with(kPath)) {
    for (const auto& [key, text] : request.parameters)
      if (key == name.substr(kPath.size())) return text;
    return {};
  }
  if (name.starts_with(kVariable)) {
    const auto found = request.stage_variables.find(std::string(name.substr(kVariable.size())));
    return found == request.stage_variables.end() ? std::string() : found->second;
  }
  if (!name.starts_with(kContext)) return {};
  name.remove_prefix(kContext.size());
  if (name.starts_with(kAuthorizer)) {
    name.remove_prefix(kAuthorizer.size());
    const Json* at = &request.authorizer;
    for (const std::string_view step : split(name, '.')) at = at ? at->find(step) : nullptr;
    return at ? at->scalar_text().value_or("") : std::string();
  }
  if (constexpr std::string_view kIdentity = "identity."; name.starts_with(kIdentity))
    if (const Json* known = request.identity.find(name.substr(kIdentity.size()))) return known->scalar_text().value_or("");
  return name == "stage"                ? request.stage
         : name == "httpMethod"         ? request.http.method
         : name == "path"               ? "/" + request.stage + request.path
         : name == "resourcePath"       ? request.resource_path
         : name == "resourceId"         ? request.resource_id
         : name == "apiId"              ? request.api_id
         : name == "accountId"          ? request.account
         : name == "requestId" || name == "extendedRequestId" ? request.request_id
         : name == "domainName"         ? request.domain
         : name == "domainPrefix"       ? request.domain.substr(0, request.domain.find('.'))
         : name == "requestTimeEpoch"   ? std::to_string(to_millis(request.now))
         : name == "protocol"           ? std::string(aws::protocol_of(request.http))
         : name == "requestTime"        ? aws::request_time(request.now)
         : name == "identity.sourceIp"  ? aws::source_ip(request.http)
         : name == "identity.userAgent" ? std::string(request.http.header("user-agent"))
                                        : std::string();
}

std::string fill_template(std::string_view text, const std::function<std::string(std::string_view)>& value) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$') {
      out += text[i];
      continue;
    }
    const bool braced = i + 1 < text.size() && text[i + 1] == '{';
    const std::size_t begin = i + (braced ? 2 : 1);
    std::size_t end = begin;
    while (end < text.size() && is_name(text[end])) ++end;
    // A sentence's full stop is no part of a name.
    if (!braced)
      while (end > begin && (text[end - 1] == '.' || text[end - 1] == '-')) --end;
    const std::string_view name = text.substr(begin, end - begin);
    const bool is_known = name.starts_with("context.") || name.starts_with("stageVariables.") || name.starts_with("method.request.");
    if (!is_known || (braced && (end >= text.size() || text[end] != '}'))) {
      out += '$';
      continue;
    }
    out += value(name);
    i = braced ? end : end - 1;
  }
  return out;
}

http::Response render(const Refusal& refusal, const CustomResponses& own, const aws::ProxyRequest& request) {
  http::Response out;
  out.status = refusal.status;
  out.set("content-type", "application/json");
  out.set("x-amzn-errortype", refusal.error_type);
  const auto value = [&](std::string_view name) { return value_of(name, refusal, request); };
  const GatewayResponse* response = chosen(refusal, own);
  if (response && response->status_code) out.status = static_cast<int>(parse_int(*response->status_code).value_or(refusal.status));
  const auto* words = response ? template_for(*response, request.http.header("accept")) : nullptr;
  if (words && words->second != kDefaultTemplate) {
    out.set("content-type", words->first);
    out.body = fill_template(words->second, value);
  } else {
    out.body = Json::object({{std::string(refusal.member), refusal.has_message ? Json(refusal.message) : Json()}}).dump();
  }
  if (response && response->response_parameters)
    for (const auto& [name, text] : *response->response_parameters) {
      constexpr std::string_view kHeader = "gatewayresponse.header.";
      if (!name.starts_with(kHeader)) continue;
      const bool is_literal = text.size() >= 2 && text.front() == '\'' && text.back() == '\'';
      const std::string header = is_literal ? text.substr(1, text.size() - 2) : value(text);
      if (!header.empty()) out.set(to_lower(std::string_view(name).substr(kHeader.size())), header);
    }
  return out;
}

}  // namespace reef::service::apigateway
