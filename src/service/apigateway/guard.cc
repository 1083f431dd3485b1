#include "service/apigateway/guard.h"

#include <algorithm>

#include <fmt/format.h>

#include "aws/request_signer.h"
#include "base/text.h"
#include "service/apigateway/policy.h"
#include "wire/form.h"
#include "wire/json_schema.h"

namespace reef::service::apigateway {
namespace {

using wire::Json;

Refusal wrong_signature(std::string_view type, std::string message, std::string_view error_type) {
  return {.type = type, .status = 403, .message = std::move(message), .error_type = error_type, .validation = {}};
}

std::string peer_address(const http::Request& request) {
  const auto colon = request.peer.rfind(':');
  std::string out = colon == std::string::npos ? request.peer : request.peer.substr(0, colon);
  if (out.starts_with('[') && out.ends_with(']')) out = out.substr(1, out.size() - 2);
  return out;
}

std::string masked(const std::string& account) { return "********" + account.substr(account.size() > 4 ? account.size() - 4 : 0); }

// Whether the request gives the parameter that a method requires: "method.request.header.x".
bool has_parameter(std::string_view name, const aws::ProxyRequest& request) {
  constexpr std::string_view kHeader = "method.request.header.", kQuery = "method.request.querystring.", kPath = "method.request.path.";
  if (name.starts_with(kHeader)) return !request.http.header(to_lower(name.substr(kHeader.size()))).empty();
  if (name.starts_with(kQuery)) return !wire::Form(request.http.query).value(name.substr(kQuery.size())).empty();
  if (name.starts_with(kPath)) return std::any_of(request.parameters.begin(), request.parameters.end(), [&](const auto& each) { return each.first == name.substr(kPath.size()); });
  return true;
}

// The model of a reference among models: "https://apigateway.amazonaws.com/restapis/<api>/models/<name>", "#/definitions/<name>".
const model::Model* model_of_reference(const Frozen& frozen, std::string_view reference) {
  const auto slash = reference.rfind('/');
  const auto found = frozen.models.find(slash == std::string_view::npos ? reference : reference.substr(slash + 1));
  return found == frozen.models.end() ? nullptr : &found->second;
}

std::optional<Refusal> check_body(const Frozen& frozen, const model::Method& method, const aws::ProxyRequest& request) {
  if (!method.request_models || method.request_models->empty()) return std::nullopt;
  std::string type(to_lower(trim(request.http.header("content-type").substr(0, request.http.header("content-type").find(';')))));
  if (type.empty()) type = "application/json";
  auto named = method.request_models->find(type);
  if (named == method.request_models->end()) named = method.request_models->find("$default");
  if (named == method.request_models->end()) return std::nullopt;
  const auto found = frozen.models.find(named->second);
  if (found == frozen.models.end() || found->second.schema.value_or("").empty()) return std::nullopt;
  const auto schema = Json::parse(*found->second.schema);
  if (!schema) return internal_error();
  const auto value = Json::parse(request.body);
  if (!value) return bad_body("[Unable to parse the request body]");
  std::map<std::string, Json, std::less<>> others;  // parsed as they are asked for
  const auto lookup = [&](std::string_view reference) -> const Json* {
    const model::Model* other = model_of_reference(frozen, reference);
    if (!other) return nullptr;
    const auto known = others.find(*other->name);
    if (known != others.end()) return &known->second;
    auto parsed = Json::parse(other->schema.value_or("{}"));
    return parsed ? &others.emplace(*other->name, *std::move(parsed)).first->second : nullptr;
  };
  const auto violations = wire::schema_violations(*schema, *value, lookup);
  if (violations.empty()) return std::nullopt;
  return bad_body(fmt::format("[{}]", fmt::join(violations, ", ")));
}

}  // namespace

Signer check_signature(const aws::AccessKeys& keys, const http::Request& request, std::string_view body, const std::string& account, Time now) {
  using aws::SignatureFault;
  aws::RequestSigner signer = aws::signer_of(keys, request, body, account, now);
  const auto refused = [&](std::string_view type, std::string_view error_type) { return Signer{.refusal = wrong_signature(type, std::move(signer.why), error_type), .principal = {}}; };
  switch (signer.fault) {
    case SignatureFault::kNone: return {.refusal = {}, .principal = std::move(signer.principal)};
    case SignatureFault::kUnsigned: return {.refusal = missing_token(), .principal = {}};
    case SignatureFault::kMalformed: return refused("INVALID_SIGNATURE", "IncompleteSignatureException");
    case SignatureFault::kUnknownKey: return refused("INVALID_SIGNATURE", "UnrecognizedClientException");
    case SignatureFault::kExpiredToken: return refused("EXPIRED_TOKEN", "ExpiredTokenException");
    case SignatureFault::kStale:
    case SignatureFault::kWrong: break;
  }
  return refused("INVALID_SIGNATURE", "InvalidSignatureException");
}

std::optional<Refusal> check_resource_policy(const std::string& policy, const aws::ProxyRequest& request, std::string_view region, const aws::Principal* signer) {
  if (policy.empty()) return std::nullopt;
  const auto document = Json::parse(policy);
  if (!document) return internal_error();
  const std::string place = fmt::format("{}/{}/{}{}", request.api_id, request.stage, request.http.method, request.path);
  InvokeRequest asked{.arn = fmt::format("arn:aws:execute-api:{}:{}:{}", region, request.account, place), .principal = signer, .keys = {}};
  asked.keys["aws:sourceip"] = peer_address(request.http);
  asked.keys["aws:useragent"] = std::string(request.http.header("user-agent"));
  if (const auto referer = request.http.header("referer"); !referer.empty()) asked.keys["aws:referer"] = std::string(referer);
  asked.keys["aws:securetransport"] = request.http.is_tls ? "true" : "false";
  if (signer) {
    asked.keys["aws:principalarn"] = signer->arn;
    asked.keys["aws:principalaccount"] = signer->account;
  }
  const aws::Verdict verdict = judge_policy(*document, asked);
  if (verdict == aws::Verdict::kAllowed) return std::nullopt;
  // Callers of the API's own account are let by their own policies.
  if (verdict == aws::Verdict::kNotAllowed && signer && signer->account == request.account) return std::nullopt;
  return denied(fmt::format("User: {} is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:{}:{}:{}{}", signer ? signer->arn : "anonymous", region, masked(request.account), place,
                            verdict == aws::Verdict::kDenied ? " with an explicit deny" : ""));
}

std::optional<Refusal> check_request(const Frozen& frozen, const model::Method& method, const aws::ProxyRequest& request) {
  const auto found = frozen.validators.find(method.request_validator_id.value_or(""));
  if (found == frozen.validators.end()) return std::nullopt;
  const model::RequestValidator& validator = found->second;
  if (validator.validate_request_parameters.value_or(false) && method.request_parameters) {
    std::vector<std::string> missing;
    for (const auto& [name, is_required] : *method.request_parameters)
      if (is_required && !has_parameter(name, request)) missing.push_back(name.substr(name.rfind('.') + 1));
    if (!missing.empty()) return bad_parameters(fmt::format("Missing required request parameters: [{}]", fmt::join(missing, ", ")));
  }
  if (!validator.validate_request_body.value_or(false)) return std::nullopt;
  return check_body(frozen, method, request);
}

std::optional<StageLimits> stage_limits(const model::Stage& stage, std::string_view path, std::string_view verb) {
  if (!stage.method_settings) return std::nullopt;
  const std::string own = fmt::format("{}/{}", replace_all(path, "/", "~1"), verb);
  for (const std::string& name : {own, std::string("*/*")}) {
    const auto found = stage.method_settings->find(name);
    if (found == stage.method_settings->end()) continue;
    const model::MethodSetting& setting = found->second;
    // -1 stands for "as the account's", which is no limit here.
    if (!setting.throttling_rate_limit || *setting.throttling_rate_limit < 0) continue;
    return StageLimits{.name = own, .rate = *setting.throttling_rate_limit, .burst = setting.throttling_burst_limit.value_or(0)};
  }
  return std::nullopt;
}

}  // namespace reef::service::apigateway
