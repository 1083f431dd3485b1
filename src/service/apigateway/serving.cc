// Requests to REST APIs: stage, resource, method, integration.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-develop.html
#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "aws/models/lambda.h"
#include "aws/proxy_event.h"
#include "aws/request_signer.h"
#include "aws/served_request.h"
#include "http/replayed_body.h"
#include "base/digest.h"
#include "base/encoding.h"
#include "base/random.h"
#include "engine/edge/proxy.h"
#include "engine/edge/route_table.h"
#include "service/apigateway/authorize.h"
#include "service/apigateway/guard.h"

namespace reef::service::apigateway {
namespace {

constexpr std::uint64_t kBodyBytesMax = 10ull << 20;

// There is no stage whose words could be used.
http::Response forbidden() {
  http::Response out;
  out.status = 403;
  out.set("content-type", "application/json");
  out.set("x-amzn-errortype", "ForbiddenException");
  out.body = R"({"message":"Forbidden"})";
  return out;
}

struct CompiledMethod {
  model::Resource resource;
  model::Method method;
  std::string function;
  std::optional<model::Authorizer> authorizer;
  std::optional<StageLimits> limits;
};

struct CompiledStage {
  model::Stage stage;
  Frozen frozen;
  edge::RouteTable table;
  std::vector<CompiledMethod> methods;
  std::optional<telemetry::AccessLogTarget> access_log;
};

bool matches_media_type(const std::string& pattern, std::string_view type) {
  return pattern == "*/*" || matches_wildcard(replace_all(pattern, "~1", "/"), to_lower(trim(type.substr(0, type.find(';')))));
}

class RestApiSite final : public edge::Site {
 public:
  RestApiSite(const StoredApi& api, RestApis& apis)
      : id_(*api.api.id), name_(api.api.name.value_or("")), account_(api.account), region_(api.region), binary_(api.api.binary_media_types.value_or(std::vector<std::string>{})),
        takes_keys_from_authorizer_(api.api.api_key_source == "AUTHORIZER"), is_disabled_(api.api.disable_execute_api_endpoint.value_or(false)),
        caller_(apis.caller), spans_(apis.spans), counters_(apis.counters), apis_(apis) {
    for (const auto& [name, stage] : api.stages) {
      const auto snapshot = api.snapshots.find(stage.deployment_id.value_or(""));
      if (snapshot == api.snapshots.end()) continue;
      const auto frozen = api.frozen.find(*stage.deployment_id);
      CompiledStage compiled{.stage = stage, .frozen = frozen == api.frozen.end() ? api.freeze() : frozen->second, .table = {}, .methods = {}, .access_log = log_of(stage)};
      for (const auto& [id, resource] : snapshot->second) {
        if (!resource.resource_methods) continue;
        for (const auto& [verb, method] : *resource.resource_methods) {
          compiled.table.add(verb, resource.path.value_or("/"), static_cast<std::uint32_t>(compiled.methods.size()));
          const std::string uri = method.method_integration ? method.method_integration->uri.value_or("") : "";
          compiled.methods.push_back({resource, method, aws::function_of_integration(uri), {}, stage_limits(stage, resource.path.value_or("/"), verb)});
          const auto& authorizers = compiled.frozen.authorizers;
          if (const auto authorizer = authorizers.find(method.authorizer_id.value_or("")); authorizer != authorizers.end()) compiled.methods.back().authorizer = authorizer->second;
        }
      }
      stages_.emplace(name, std::move(compiled));
    }
  }

  Task<http::Response> serve(edge::SiteRequest request) const override {
    const std::int64_t began = io::monotonic_micros();
    store::Shard& shard = store::Shard::current();
    telemetry::TraceContext trace = telemetry::TraceContext::read(request.http.header("x-amzn-trace-id"), request.http.header("traceparent"), shard.now());
    telemetry::Span span{.trace = trace.root, .id = telemetry::new_span_id(), .parent = trace.parent, .name = {}, .account = account_, .region = region_,
                         .start = shard.now()};
    trace.parent = span.id;
    const std::string request_id = make_uuid(thread_random());
    const CompiledStage* stage = nullptr;  // the one that answers
    aws::ServedRequest served(request.http);
    served.account = account_, served.api_id = id_, served.domain = request.domain, served.request_id = request_id, served.at = shard.now();
    http::Response response = co_await answer(request, trace.amzn_header(), stage, served);
    response.set("x-amzn-requestid", request_id);
    response.set("x-amz-apigw-id", base64_encode(span.id).substr(0, 15) + "=");
    span.name = fmt::format("execute-api {} {}", request.http.method, request.path);
    span.status = response.status;
    span.duration = Duration(io::monotonic_micros() - began);
    if (stage) publish(served.stage, response.status, span.duration, served.integration_micros);
    if (stage && stage->access_log) {
      served.status = response.status, served.response_bytes = response.body.size(), served.latency_micros = span.duration.count();
      apis_.access_log.write(*stage->access_log, stage->access_log->format.render([&](std::string_view name) { return served.value(name); }));
    }
    spans_.record(std::move(span));
    co_return response;
  }

 private:
  std::optional<telemetry::AccessLogTarget> log_of(const model::Stage& stage) const {
    if (!stage.access_log_settings) return std::nullopt;
    return telemetry::access_log_target(stage.access_log_settings->destination_arn.value_or(""), stage.access_log_settings->format.value_or(""), md5_hex(id_ + "/" + stage.stage_name.value_or("")));
  }

  // https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-metrics-and-dimensions.html
  void publish(const std::string& stage, int status, Duration took, std::int64_t integration_micros) const {
    using metrics::Unit;
    const std::initializer_list<metrics::Measure> measures = {
        {"Count", 1},
        {"4XXError", status >= 400 && status < 500 ? 1.0 : 0.0},
        {"5XXError", status >= 500 ? 1.0 : 0.0},
        {"Latency", static_cast<double>(took.count()) / 1000, Unit::kMilliseconds},
        {"IntegrationLatency", static_cast<double>(integration_micros) / 1000, Unit::kMilliseconds, integration_micros < 0 ? 0.0 : 1.0},
    };
    counters_.add({account_, region_, "AWS/ApiGateway", {{"ApiName", name_}}}, measures);
    counters_.add({account_, region_, "AWS/ApiGateway", {{"ApiName", name_}, {"Stage", stage}}}, measures);
  }

  Task<http::Response> answer(edge::SiteRequest& request, const std::string& trace, const CompiledStage*& served_by, aws::ServedRequest& served) const {
    // Then only a custom domain name leads here, and that says the stage itself.
    if (is_disabled_ && !request.is_custom_domain) co_return forbidden();
    std::string stage_name = request.stage;
    if (stage_name.empty()) {  // the first part of the path
      const auto slash = request.path.find('/', 1);
      stage_name = request.path.substr(1, slash == std::string::npos ? slash : slash - 1);
      request.path = slash == std::string::npos ? std::string("/") : request.path.substr(slash);
    }
    const auto found = stages_.find(stage_name);
    if (found == stages_.end()) co_return forbidden();
    const CompiledStage& stage = *(served_by = &found->second);
    served.stage = stage_name, served.path = "/" + stage_name + request.path;
    const auto match = stage.table.match(request.http.method, request.path);
    const CompiledMethod* method = match ? &stage.methods[match->route] : nullptr;
    Exchange exchange{.event = make_event(request, stage, method, match ? &*match : nullptr, trace, served.request_id), .body = {}};
    served.resource_path = exchange.event.resource_path, served.resource_id = exchange.event.resource_id;
    const auto refuse = [&](const Refusal& refusal) {
      served.error = refusal.message, served.error_type = refusal.type;
      return render(refusal, stage.frozen.gateway_responses, exchange.event);
    };
    if (!method) co_return refuse(missing_token());
    const auto refusal = co_await pass(stage, *method, request, exchange);
    served.authorizer = exchange.event.authorizer;
    if (refusal) co_return refuse(*refusal);
    const std::int64_t began = io::monotonic_micros();
    auto response = co_await integrate(*method, *match, request, exchange);
    if (method->method.method_integration->type != "MOCK") served.integration_micros = io::monotonic_micros() - began;
    if (!response) co_return refuse(response.error());
    served.integration_status = response->status;
    co_return *std::move(response);
  }

  // A request as it goes through the stations, and its body once that was read.
  struct Exchange {
    aws::ProxyRequest event;
    http::ReplayedBody body;
  };

  static Task<std::optional<Refusal>> read_body(edge::SiteRequest& request, Exchange& exchange) {
    if (!co_await exchange.body.read(request.http, kBodyBytesMax)) co_return too_large();
    exchange.event.body = exchange.body.text();
    co_return std::nullopt;
  }

  // Past everything that stands before the integration.
  Task<std::optional<Refusal>> pass(const CompiledStage& stage, const CompiledMethod& method, edge::SiteRequest& request, Exchange& exchange) const {
    if (!method.method.method_integration) co_return internal_error();
    const std::string type = method.method.authorization_type.value_or("NONE");
    Signer signer;
    if (type == "AWS_IAM") {
      if (auto refusal = co_await read_body(request, exchange)) co_return refusal;
      signer = check_signature(apis_.access_keys, request.http, exchange.body.text(), account_, exchange.event.now);
      if (signer.refusal) co_return std::move(signer.refusal);
      exchange.event.identity = aws::signer_identity(*signer.principal);
    }
    if (auto refusal = check_resource_policy(stage.frozen.policy, exchange.event, region_, signer.principal ? &*signer.principal : nullptr)) co_return refusal;
    std::string usage_key;
    if (type == "CUSTOM" || type == "COGNITO_USER_POOLS") {
      if (!method.authorizer) co_return internal_error();
      Admission admitted = co_await admit(apis_, *method.authorizer, method.method, exchange.event, region_);
      if (admitted.refusal) co_return std::move(admitted.refusal);
      exchange.event.authorizer = std::move(admitted.authorizer);
      usage_key = std::move(admitted.usage_key);
    }
    if (auto refusal = co_await count(stage, method, exchange, usage_key)) co_return refusal;
    if (!method.method.request_validator_id.value_or("").empty()) {
      if (auto refusal = co_await read_body(request, exchange)) co_return refusal;
      if (auto refusal = check_request(stage.frozen, method.method, exchange.event)) co_return refusal;
    }
    co_return std::nullopt;
  }

  // The request's key and the stage's limits are counted in one place.
  Task<std::optional<Refusal>> count(const CompiledStage& stage, const CompiledMethod& method, Exchange& exchange, const std::string& usage_key) const {
    const bool needs_key = method.method.api_key_required.value_or(false);
    if (!needs_key && !method.limits) co_return std::nullopt;
    const std::string& stage_name = *stage.stage.stage_name;
    const KeyRing::Asked asked{.account = account_, .region = region_, .api = id_, .stage = stage_name,
                               .method = method.resource.path.value_or("/") + "/" + method.method.http_method.value_or(""),
                               .value = takes_keys_from_authorizer_ ? usage_key : std::string(exchange.event.http.header("x-api-key"))};
    const Time now = exchange.event.now;
    std::string key_id;
    const KeyVerdict verdict = co_await store::on(store::Shard::control(), [&]() -> Task<KeyVerdict> {
      const KeyVerdict of_key = needs_key ? apis_.keys.admit(asked, now, key_id) : KeyVerdict::kPasses;
      if (of_key != KeyVerdict::kPasses || !method.limits) co_return of_key;
      edge::RateLimit& bucket = apis_.stage_buckets[fmt::format("{}/{}/{}", id_, stage_name, method.limits->name)];
      co_return bucket.take(now, method.limits->rate, method.limits->burst) ? KeyVerdict::kPasses : KeyVerdict::kThrottled;
    });
    if (!key_id.empty()) {
      if (exchange.event.identity.is_null()) exchange.event.identity = wire::Json::object();
      exchange.event.identity.set("apiKey", asked.value);
      exchange.event.identity.set("apiKeyId", key_id);
    }
    switch (verdict) {
      case KeyVerdict::kPasses: co_return std::nullopt;
      case KeyVerdict::kUnknown: co_return invalid_key();
      case KeyVerdict::kThrottled: co_return throttled();
      case KeyVerdict::kExhausted: break;
    }
    co_return quota_exceeded();
  }

  Task<Result<http::Response, Refusal>> integrate(const CompiledMethod& method, const edge::RouteMatch& match, edge::SiteRequest& request, Exchange& exchange) const {
    const model::Integration& integration = *method.method.method_integration;
    const std::string type = integration.type.value_or("");
    if (request.http.body && request.http.body->size().value_or(0) > kBodyBytesMax) co_return std::unexpected(too_large());
    if (type == "HTTP_PROXY") co_return co_await call_http(request, integration, match);
    if (auto refusal = co_await read_body(request, exchange)) co_return std::unexpected(*std::move(refusal));
    if (type == "MOCK") co_return mock(integration);
    co_return co_await call_function(method, exchange.event);
  }

  // The request template's statusCode chooses the integration response whose selection pattern matches it.
  static Result<http::Response, Refusal> mock(const model::Integration& integration) {
    std::int64_t status = 200;
    if (integration.request_templates)
      if (const auto text = integration.request_templates->find("application/json"); text != integration.request_templates->end()) {
        const auto json = wire::Json::parse(text->second);
        if (!json || !(*json)["statusCode"].as_int()) return std::unexpected(internal_error());
        status = *(*json)["statusCode"].as_int();
      }
    const model::IntegrationResponse* chosen = nullptr;
    if (integration.integration_responses)
      for (const auto& [code, response] : *integration.integration_responses) {
        const std::string pattern = response.selection_pattern.value_or("");
        if (pattern.empty() && !chosen) chosen = &response;
        if (!pattern.empty() && pattern == std::to_string(status)) chosen = &response;
      }
    if (!chosen) return std::unexpected(internal_error());
    http::Response out;
    out.status = static_cast<int>(parse_int(chosen->status_code.value_or("200")).value_or(200));
    out.set("content-type", "application/json");
    if (chosen->response_templates && !chosen->response_templates->empty()) {
      const auto json = chosen->response_templates->find("application/json");
      const auto& [type, text] = json != chosen->response_templates->end() ? *json : *chosen->response_templates->begin();
      out.set("content-type", type);
      out.body = text;
    }
    if (chosen->response_parameters)
      for (const auto& [name, value] : *chosen->response_parameters) {
        constexpr std::string_view kHeader = "method.response.header.";
        if (name.starts_with(kHeader) && value.size() >= 2 && value.front() == '\'' && value.back() == '\'')
          out.set(to_lower(std::string_view(name).substr(kHeader.size())), value.substr(1, value.size() - 2));
      }
    return out;
  }

  Task<Result<http::Response, Refusal>> call_http(const edge::SiteRequest& request, const model::Integration& integration, const edge::RouteMatch& match) const {
    std::string url = integration.uri.value_or("");
    for (const auto& [name, value] : match.parameters) {
      url = replace_all(url, "{" + name + "}", percent_encode(value, true));
      url = replace_all(url, "{" + name + "+}", percent_encode(value, true));
    }
    const std::string verb = integration.http_method.value_or("ANY");
    auto reply = co_await edge::forward(request.http, {.url = url, .method = verb == "ANY" ? "" : verb,
                                                       .timeout = std::chrono::milliseconds(integration.timeout_in_millis.value_or(29'000))});
    if (!reply) co_return std::unexpected(reply.error().code == ETIMEDOUT ? integration_timeout() : bad_gateway());
    co_return *std::move(reply);
  }

  // `method` and `match` are missing when nothing is there.
  aws::ProxyRequest make_event(const edge::SiteRequest& request, const CompiledStage& stage, const CompiledMethod* method, const edge::RouteMatch* match, const std::string& trace,
                               const std::string& request_id) const {
    const auto is_binary = [&](std::string_view type) {
      return std::any_of(binary_.begin(), binary_.end(), [&](const std::string& pattern) { return matches_media_type(pattern, type); });
    };
    aws::ProxyRequest event{.http = request.http, .body = {}, .account = account_, .api_id = id_, .stage = stage.stage.stage_name.value_or(""),
                            .domain = request.domain, .route_key = {}, .resource_path = method ? method->resource.path.value_or("/") : "",
                            .resource_id = method ? method->resource.id.value_or("") : "", .path = percent_decode(request.path), .stage_in_path = false,
                            .parameters = match ? match->parameters : std::vector<std::pair<std::string, std::string>>{}, .stage_variables = {}, .request_id = request_id, .trace_id = trace,
                            .now = store::Shard::current().now(), .body_is_text = !is_binary(request.http.header("content-type")), .authorizer = {}, .identity = {}};
    if (stage.stage.variables)
      for (const auto& [key, value] : *stage.stage.variables) event.stage_variables.emplace(key, value);
    return event;
  }

  Task<Result<http::Response, Refusal>> call_function(const CompiledMethod& method, const aws::ProxyRequest& event) const {
    Call call = caller_.internal_call(account_, region_);
    call.trace_id = event.trace_id;
    aws::lambda::InvokeInput invoke;
    invoke.function_name = method.function;
    for (const auto& [key, value] : event.stage_variables) invoke.function_name = replace_all(invoke.function_name, "${stageVariables." + key + "}", value);
    invoke.payload = aws::event_v1(event, false);
    const auto out = co_await caller_.call<aws::lambda::InvokeOutput>(call, aws::lambda::ops::kInvoke, invoke);
    if (!out || out->function_error) co_return std::unexpected(bad_gateway());
    auto response = aws::read_proxy_reply(out->payload.value_or("null"), false);
    if (!response) co_return std::unexpected(bad_gateway());
    response->set("x-amzn-trace-id", event.trace_id);
    co_return *std::move(response);
  }

  std::string id_, name_, account_, region_;
  std::vector<std::string> binary_;
  bool takes_keys_from_authorizer_, is_disabled_;
  aws::Caller& caller_;
  telemetry::Spans& spans_;
  metrics::Counters& counters_;
  RestApis& apis_;
  std::map<std::string, CompiledStage, std::less<>> stages_;
};

}  // namespace

std::shared_ptr<const edge::Site> compile(const StoredApi& api, RestApis& apis) {
  return std::make_shared<RestApiSite>(api, apis);
}

}  // namespace reef::service::apigateway
