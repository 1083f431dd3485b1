#include "service/apigateway/api_store.h"

#include <fmt/format.h>

#include "base/random.h"
#include "base/text.h"
#include "engine/store/records.h"

namespace reef::service::apigateway {
namespace {

using wire::Json;
constexpr std::string_view kPrefix = "apigateway/api/";

// "a~1b" -> "a/b", as JSON pointers escape it.
std::string unescape(std::string_view step) { return replace_all(replace_all(step, "~1", "/"), "~0", "~"); }

// The type that a member has keeps: patches carry text only.
Json typed(const Json* existing, const std::string& member, const std::string& value) {
  const bool looks_boolean = value == "true" || value == "false";
  if ((existing && existing->is_bool()) ||
      (looks_boolean && (member.ends_with("Enabled") || member.ends_with("Required") || member.starts_with("disable"))))
    return value == "true";
  if ((existing && existing->is_number()) || member == "timeoutInMillis" || member == "throttlingBurstLimit" || member == "throttlingRateLimit" || member == "cacheTtlInSeconds" || member == "rateLimit" || member == "burstLimit" || member == "limit" || member == "offset" || member == "authorizerResultTtlInSeconds" || member == "minimumCompressionSize") return Json::number(value);
  return value;
}

}  // namespace

RestApis::RestApis(Parts& parts) : caller(parts.get<aws::Caller>()), sites(parts.get<edge::Sites>()), spans(parts.get<telemetry::Spans>()), counters(parts.get<metrics::Counters>()), authority(parts.get<edge::Authority>()), access_keys(parts.get<aws::AccessKeys>()), access_log(parts.get<telemetry::Logs>()), domains(sites) {}

namespace {

Json frozen_json(const Frozen& frozen) {
  return Json::object({{"gatewayResponses", aws::map_to_json(frozen.gateway_responses)}, {"models", aws::map_to_json(frozen.models)}, {"validators", aws::map_to_json(frozen.validators)},
                       {"authorizers", aws::map_to_json(frozen.authorizers)}, {"policy", frozen.policy}});
}
Frozen frozen_of(const Json& json) {
  return {.gateway_responses = aws::map_from_json<model::GatewayResponse>(json["gatewayResponses"]), .models = aws::map_from_json<model::Model>(json["models"]),
          .validators = aws::map_from_json<model::RequestValidator>(json["validators"]), .authorizers = aws::map_from_json<model::Authorizer>(json["authorizers"]), .policy = json.text("policy")};
}

}  // namespace

void RestApis::start() {
  keys.load();
  domains.load();
  store::Shard::control().records().scan(kPrefix, [this](std::string_view, const std::string& text) {
    const auto json = Json::parse(text);
    if (!json) return true;
    auto api = aws::from_json<model::RestApi>((*json)["api"]);
    if (!api) return true;
    StoredApi stored{.api = *std::move(api), .account = json->text("account"), .region = json->text("region"),
                     .resources = aws::map_from_json<model::Resource>((*json)["resources"]),
                     .deployments = aws::map_from_json<model::Deployment>((*json)["deployments"]), .snapshots = {},
                     .stages = aws::map_from_json<model::Stage>((*json)["stages"]), .authorizers = aws::map_from_json<model::Authorizer>((*json)["authorizers"]),
                     .gateway_responses = aws::map_from_json<model::GatewayResponse>((*json)["gatewayResponses"]), .models = aws::map_from_json<model::Model>((*json)["models"]),
                     .validators = aws::map_from_json<model::RequestValidator>((*json)["validators"]), .frozen = {}};
    for (const auto& [id, frozen] : (*json)["frozen"].as_object()) stored.frozen.emplace(id, frozen_of(frozen));
    for (const auto& [id, snapshot] : (*json)["snapshots"].as_object()) stored.snapshots.emplace(id, aws::map_from_json<model::Resource>(snapshot));
    StoredApi& added = add(std::move(stored));
    sites.put("execute-api", *added.api.id, compile(added, *this));
    return true;
  });
}

void RestApis::reset() {
  for (const auto& [id, api] : apis_) sites.erase("execute-api", id);
  apis_.clear();
  keys.clear();
  domains.clear();
}

StoredApi* RestApis::find(const Call& call, std::string_view id) {
  const auto found = apis_.find(id);
  return found != apis_.end() && found->second.account == call.account && found->second.region == call.region ? &found->second : nullptr;
}

std::vector<StoredApi*> RestApis::all(const Call& call) {
  std::vector<StoredApi*> out;
  for (auto& [id, api] : apis_)
    if (api.account == call.account && api.region == call.region) out.push_back(&api);
  return out;
}

StoredApi& RestApis::add(StoredApi api) {
  std::string id = *api.api.id;
  return apis_.insert_or_assign(std::move(id), std::move(api)).first->second;
}

void RestApis::remove(const std::string& id) {
  sites.erase("execute-api", id);
  store::Shard::control().records().erase(std::string(kPrefix) + id);
  apis_.erase(id);
}

void RestApis::changed(StoredApi& api) {
  Json out = Json::object({{"api", aws::to_json(api.api)}, {"account", api.account}, {"region", api.region}, {"resources", aws::map_to_json(api.resources)},
                           {"deployments", aws::map_to_json(api.deployments)}, {"stages", aws::map_to_json(api.stages)}, {"authorizers", aws::map_to_json(api.authorizers)},
                           {"gatewayResponses", aws::map_to_json(api.gateway_responses)}, {"models", aws::map_to_json(api.models)}, {"validators", aws::map_to_json(api.validators)}});
  Json& frozen = out.set("frozen", Json::object());
  for (const auto& [id, each] : api.frozen) frozen.members().emplace_back(id, frozen_json(each));
  Json& snapshots = out.set("snapshots", Json::object());
  for (const auto& [id, snapshot] : api.snapshots) snapshots.members().emplace_back(id, aws::map_to_json(snapshot));
  store::Shard::control().records().put(std::string(kPrefix) + *api.api.id, out.dump());
  sites.put("execute-api", *api.api.id, compile(api, *this));
}

std::string RestApis::new_id(std::size_t length) const { return make_token(thread_random(), length); }

aws::Error not_found(std::string message) { return {errors::kNotFoundException, std::move(message)}; }
aws::Error bad_request(std::string message) { return {errors::kBadRequestException, std::move(message)}; }
aws::Error unsupported(std::string what) { return {"NotImplemented", what + " is not supported by this version of Atoll.", 501}; }

aws::Reply<void> check_authorization(const StoredApi& api, const model::Method& method) {
  const std::string type = method.authorization_type.value_or("NONE");
  if (method.request_validator_id && !method.request_validator_id->empty() && !api.validators.contains(*method.request_validator_id))
    return Err(bad_request("Invalid Request Validator identifier specified"));
  if (method.request_models)
    for (const auto& [content_type, name] : *method.request_models)
      if (name != "Empty" && name != "Error" && !api.models.contains(name)) return Err(bad_request("Invalid model identifier specified: " + name));
  if (type == "NONE" || type.empty() || type == "AWS_IAM") return {};
  if (type != "CUSTOM" && type != "COGNITO_USER_POOLS") return Err(unsupported(fmt::format("Authorization type {}", type)));
  const auto found = api.authorizers.find(method.authorizer_id.value_or(""));
  if (found == api.authorizers.end()) return Err(bad_request("Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer."));
  if ((found->second.type == "COGNITO_USER_POOLS") != (type == "COGNITO_USER_POOLS")) return Err(bad_request("Authorization type of the method and type of the authorizer do not match"));
  return {};
}

aws::Reply<void> check_integration(const model::Integration& integration) {
  const std::string type = integration.type.value_or("");
  if (type != "AWS_PROXY" && type != "HTTP_PROXY" && type != "MOCK") {
    if (type == "AWS" || type == "HTTP") return Err(unsupported(fmt::format("Integration type {} (with mapping templates)", type)));
    return Err(bad_request(fmt::format("Invalid integration type specified. Must be one of [HTTP, AWS, HTTP_PROXY, AWS_PROXY, MOCK]")));
  }
  if (type != "MOCK" && integration.uri.value_or("").empty()) return Err(bad_request("Enter a valid URI."));
  if (type == "AWS_PROXY" && integration.uri->find(":lambda:path/") == std::string::npos)
    return Err(unsupported("AWS_PROXY integrations with other services than Lambda"));
  if (integration.connection_type.value_or("INTERNET") != "INTERNET") return Err(unsupported("VPC_LINK integrations"));
  // 29 seconds are the most unless an account has asked for more, which regional APIs may.
  // https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
  constexpr std::int32_t kTimeoutMillisMin = 50, kTimeoutMillisMax = 300'000;
  if (const std::int32_t timeout = integration.timeout_in_millis.value_or(29'000); timeout < kTimeoutMillisMin || timeout > kTimeoutMillisMax)
    return Err(bad_request(fmt::format("Timeout should be between {} ms and {} ms", kTimeoutMillisMin, kTimeoutMillisMax)));
  // MOCK templates are texts here: the mapping language (#set, $input) is not evaluated.
  const auto has_language = [](const std::optional<std::map<std::string, std::string, std::less<>>>& templates) {
    if (templates)
      for (const auto& [content_type, text] : *templates)
        if (text.find('#') != std::string::npos || text.find('$') != std::string::npos) return true;
    return false;
  };
  if (type == "MOCK" && has_language(integration.request_templates)) return Err(unsupported("A mapping template that uses the template language"));
  if (integration.integration_responses)
    for (const auto& [status, response] : *integration.integration_responses)
      if (has_language(response.response_templates)) return Err(unsupported("A mapping template that uses the template language"));
  return {};
}

aws::Reply<wire::Json> patch_json(wire::Json entity, const std::vector<model::PatchOperation>& operations) {
  for (const auto& operation : operations) {
    const std::string path = operation.path.value_or("");
    if (!path.starts_with('/')) return Err(bad_request(fmt::format("Invalid patch path {}", path)));
    const auto steps = split(std::string_view(path).substr(1), '/');
    Json* at = &entity;
    for (std::size_t i = 0; i + 1 < steps.size(); ++i) {
      const std::string step = unescape(steps[i]);
      Json* next = at->find(step);
      at = next ? next : &at->set(step, step == "binaryMediaTypes" || step == "vpcEndpointIds" ? Json::array() : Json::object());
    }
    const std::string last = unescape(steps.back()), value = operation.value.value_or("");
    if (at->is_array()) {  // "/binaryMediaTypes/image~1png" adds to or takes from a list
      auto& list = at->elements();
      std::erase_if(list, [&](const Json& one) { return one.as_string() == last; });
      if (operation.op != "remove") list.push_back(last);
    } else if (operation.op == "remove") {
      at->erase(last);
    } else if (operation.op == "replace" || operation.op == "add") {
      Json* existing = at->find(last);
      if (existing && existing->is_array()) existing->push_back(value);
      else at->set(last, typed(existing, last, value));
    } else {
      return Err(bad_request(fmt::format("Invalid patch operation {}", operation.op.value_or(""))));
    }
  }
  return entity;
}

}  // namespace reef::service::apigateway
