// Requests to REST APIs: stage, resource, method, integration.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-develop.html
#include <algorithm>
#include <cerrno>

#include <fmt/format.h>

#include "aws/models/lambda.h"
#include "aws/proxy_event.h"
#include "base/encoding.h"
#include "base/random.h"
#include "engine/edge/proxy.h"
#include "engine/edge/route_table.h"
#include "service/apigateway/authorize.h"

namespace reef::service::apigateway {
namespace {

constexpr std::uint64_t kBodyBytesMax = 10ull << 20;

// https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
http::Response message(int status, std::string_view text, std::string_view type) {
  http::Response out;
  out.status = status;
  out.set("content-type", "application/json");
  out.set("x-amzn-errortype", type);
  out.body = wire::Json::object({{"message", text}}).dump();
  return out;
}
http::Response bad_gateway() { return message(502, "Internal server error", "InternalServerErrorException"); }

struct CompiledMethod {
  model::Resource resource;
  model::Method method;
  std::string function;
  std::optional<model::Authorizer> authorizer;
  bool is_open = true;
};

struct CompiledStage {
  model::Stage stage;
  edge::RouteTable table;
  std::vector<CompiledMethod> methods;
};

bool matches_media_type(const std::string& pattern, std::string_view type) {
  return pattern == "*/*" || matches_wildcard(replace_all(pattern, "~1", "/"), to_lower(trim(type.substr(0, type.find(';')))));
}

class RestApiSite final : public edge::Site {
 public:
  RestApiSite(const StoredApi& api, RestApis& apis)
      : id_(*api.api.id), name_(api.api.name.value_or("")), account_(api.account), region_(api.region), binary_(api.api.binary_media_types.value_or(std::vector<std::string>{})),
        caller_(apis.caller), spans_(apis.spans), counters_(apis.counters), apis_(apis) {
    for (const auto& [name, stage] : api.stages) {
      const auto snapshot = api.snapshots.find(stage.deployment_id.value_or(""));
      if (snapshot == api.snapshots.end()) continue;
      CompiledStage compiled{.stage = stage, .table = {}, .methods = {}};
      for (const auto& [id, resource] : snapshot->second) {
        if (!resource.resource_methods) continue;
        for (const auto& [verb, method] : *resource.resource_methods) {
          compiled.table.add(verb, resource.path.value_or("/"), static_cast<std::uint32_t>(compiled.methods.size()));
          const std::string uri = method.method_integration ? method.method_integration->uri.value_or("") : "";
          const std::string type = method.authorization_type.value_or("NONE");
          compiled.methods.push_back({resource, method, aws::function_of_integration(uri), {}, type == "NONE" || type.empty()});
          if (const auto authorizer = api.authorizers.find(method.authorizer_id.value_or("")); authorizer != api.authorizers.end()) compiled.methods.back().authorizer = authorizer->second;
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
    std::string stage;  // the one that answers
    std::int64_t integration_micros = -1;
    http::Response response = co_await answer(request, trace.amzn_header(), request_id, stage, integration_micros);
    response.set("x-amzn-requestid", request_id);
    response.set("x-amz-apigw-id", base64_encode(span.id).substr(0, 15) + "=");
    span.name = fmt::format("execute-api {} {}", request.http.method, request.path);
    span.status = response.status;
    span.duration = Duration(io::monotonic_micros() - began);
    if (!stage.empty()) publish(stage, response.status, span.duration, integration_micros);
    spans_.record(std::move(span));
    co_return response;
  }

 private:
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

  Task<http::Response> answer(edge::SiteRequest& request, const std::string& trace, const std::string& request_id, std::string& served_stage,
                              std::int64_t& integration_micros) const {
    std::string stage_name = request.stage;
    if (stage_name.empty()) {  // the first part of the path
      const auto slash = request.path.find('/', 1);
      stage_name = request.path.substr(1, slash == std::string::npos ? slash : slash - 1);
      request.path = slash == std::string::npos ? std::string("/") : request.path.substr(slash);
    }
    const auto stage = stages_.find(stage_name);
    if (stage == stages_.end()) co_return message(403, "Forbidden", "ForbiddenException");
    served_stage = stage_name;
    const auto match = stage->second.table.match(request.http.method, request.path);
    if (!match) co_return message(403, "Missing Authentication Token", "MissingAuthenticationTokenException");
    const CompiledMethod& method = stage->second.methods[match->route];
    if (!method.method.method_integration) co_return message(500, "Internal server error", "InternalServerErrorException");
    const model::Integration& integration = *method.method.method_integration;
    const std::string type = integration.type.value_or("");
    Admission admitted;
    if (!method.is_open) {
      const aws::ProxyRequest event = make_event(request, stage->second, method, *match, "", trace, request_id);
      if (!method.authorizer) co_return message(500, "Internal server error", "InternalServerErrorException");
      admitted = co_await admit(apis_, *method.authorizer, method.method, event, region_);
      if (admitted.refusal) co_return *std::move(admitted.refusal);
    }
    const std::int64_t began = io::monotonic_micros();
    if (type == "HTTP_PROXY") {
      http::Response forwarded = co_await call_http(request, integration, *match);
      integration_micros = io::monotonic_micros() - began;
      co_return forwarded;
    }
    auto body = co_await http::read_all(*request.http.body, kBodyBytesMax);
    if (!body) co_return message(413, "HTTP content length exceeded 10485760 bytes.", "RequestTooLargeException");
    if (type == "MOCK") co_return mock(integration);
    http::Response response = co_await call_function(request, stage->second, method, *match, *body, trace, request_id, std::move(admitted.authorizer));
    integration_micros = io::monotonic_micros() - began;
    co_return response;
  }

  // The request template's statusCode chooses the integration response whose selection pattern matches it.
  static http::Response mock(const model::Integration& integration) {
    std::int64_t status = 200;
    if (integration.request_templates)
      if (const auto text = integration.request_templates->find("application/json"); text != integration.request_templates->end()) {
        const auto json = wire::Json::parse(text->second);
        if (!json || !(*json)["statusCode"].as_int()) return message(500, "Internal server error", "InternalServerErrorException");
        status = *(*json)["statusCode"].as_int();
      }
    const model::IntegrationResponse* chosen = nullptr;
    if (integration.integration_responses)
      for (const auto& [code, response] : *integration.integration_responses) {
        const std::string pattern = response.selection_pattern.value_or("");
        if (pattern.empty() && !chosen) chosen = &response;
        if (!pattern.empty() && pattern == std::to_string(status)) chosen = &response;
      }
    if (!chosen) return message(500, "Internal server error", "InternalServerErrorException");
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

  Task<http::Response> call_http(const edge::SiteRequest& request, const model::Integration& integration, const edge::RouteMatch& match) const {
    std::string url = integration.uri.value_or("");
    for (const auto& [name, value] : match.parameters) {
      url = replace_all(url, "{" + name + "}", percent_encode(value, true));
      url = replace_all(url, "{" + name + "+}", percent_encode(value, true));
    }
    const std::string verb = integration.http_method.value_or("ANY");
    auto reply = co_await edge::forward(request.http, {.url = url, .method = verb == "ANY" ? "" : verb,
                                                       .timeout = std::chrono::milliseconds(integration.timeout_in_millis.value_or(29'000))});
    if (!reply) co_return reply.error().code == ETIMEDOUT ? message(504, "Endpoint request timed out", "InternalServerErrorException") : bad_gateway();
    co_return *std::move(reply);
  }

  aws::ProxyRequest make_event(const edge::SiteRequest& request, const CompiledStage& stage, const CompiledMethod& method, const edge::RouteMatch& match, std::string_view body,
                               const std::string& trace, const std::string& request_id) const {
    const auto is_binary = [&](std::string_view type) {
      return std::any_of(binary_.begin(), binary_.end(), [&](const std::string& pattern) { return matches_media_type(pattern, type); });
    };
    aws::ProxyRequest event{.http = request.http, .body = body, .account = account_, .api_id = id_, .stage = stage.stage.stage_name.value_or(""),
                            .domain = request.domain, .route_key = {}, .resource_path = method.resource.path.value_or("/"),
                            .resource_id = method.resource.id.value_or(""), .path = percent_decode(request.path), .stage_in_path = false,
                            .parameters = match.parameters, .stage_variables = {}, .request_id = request_id, .trace_id = trace,
                            .now = store::Shard::current().now(), .body_is_text = !is_binary(request.http.header("content-type")), .authorizer = {}};
    if (stage.stage.variables)
      for (const auto& [key, value] : *stage.stage.variables) event.stage_variables.emplace(key, value);
    return event;
  }

  Task<http::Response> call_function(const edge::SiteRequest& request, const CompiledStage& stage, const CompiledMethod& method, const edge::RouteMatch& match,
                                     const std::string& body, const std::string& trace, const std::string& request_id, wire::Json authorizer) const {
    aws::ProxyRequest event = make_event(request, stage, method, match, body, trace, request_id);
    event.authorizer = std::move(authorizer);
    Call call = caller_.internal_call(account_, region_);
    call.trace_id = trace;
    aws::lambda::InvokeInput invoke;
    invoke.function_name = method.function;
    for (const auto& [key, value] : event.stage_variables) invoke.function_name = replace_all(invoke.function_name, "${stageVariables." + key + "}", value);
    invoke.payload = aws::event_v1(event, false);
    const auto out = co_await caller_.call<aws::lambda::InvokeOutput>(call, aws::lambda::ops::kInvoke, invoke);
    if (!out || out->function_error) co_return bad_gateway();
    auto response = aws::read_proxy_reply(out->payload.value_or("null"), false);
    if (!response) co_return bad_gateway();
    response->set("x-amzn-trace-id", trace);
    co_return *std::move(response);
  }

  std::string id_, name_, account_, region_;
  std::vector<std::string> binary_;
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
