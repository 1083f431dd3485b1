// Requests to HTTP APIs: stage, route, CORS, integration.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html
#include <algorithm>

#include <fmt/format.h>

#include "aws/models/lambda.h"
#include "aws/proxy_event.h"
#include "aws/served_request.h"
#include "http/replayed_body.h"
#include "base/digest.h"
#include "base/encoding.h"
#include "engine/edge/proxy.h"
#include "engine/edge/rate_limit.h"
#include "engine/edge/route_table.h"
#include "service/apigatewayv2/authorize.h"
#include "service/apigatewayv2/service_calls.h"

namespace reef::service::apigatewayv2 {
namespace {

constexpr std::uint64_t kBodyBytesMax = 10ull << 20;

http::Response message(int status, std::string_view text) {
  http::Response out;
  out.status = status;
  out.set("content-type", "application/json");
  out.body = wire::Json::object({{"message", text}}).dump();
  return out;
}

// https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-throttling.html
struct Throttle {
  double rate = 0, burst = 0;
  std::shared_ptr<edge::RateLimit> limit;
};

// The route's own settings, or the stage's; nothing when neither limits.
std::optional<Throttle> throttle_of(const model::Stage& stage, const std::string& route_key) {
  std::optional<std::int32_t> burst;
  std::optional<double> rate;
  const auto take = [&](const model::RouteSettings& settings) {
    if (settings.throttling_burst_limit) burst = settings.throttling_burst_limit;
    if (settings.throttling_rate_limit) rate = settings.throttling_rate_limit;
  };
  if (stage.default_route_settings) take(*stage.default_route_settings);
  if (stage.route_settings)
    if (const auto own = stage.route_settings->find(route_key); own != stage.route_settings->end()) take(own->second);
  if (!burst && !rate) return std::nullopt;
  // What is not said is the account's.
  return Throttle{.rate = rate.value_or(10'000), .burst = static_cast<double>(burst.value_or(5'000)), .limit = std::make_shared<edge::RateLimit>()};
}

struct CompiledRoute {
  model::Route route;
  model::Integration integration;
  std::string function;   // ARN, for AWS_PROXY
  std::optional<model::Authorizer> authorizer;
  bool is_open = true;    // nobody has to say who they are
  std::optional<Throttle> throttle;
};

struct CompiledStage {
  model::Stage stage;
  std::optional<telemetry::AccessLogTarget> access_log;
  edge::RouteTable table;
  std::vector<CompiledRoute> routes;
};

CompiledStage compile_stage(const model::Stage& stage, const Snapshot& snapshot, std::optional<telemetry::AccessLogTarget> access_log) {
  CompiledStage out{.stage = stage, .access_log = std::move(access_log), .table = {}, .routes = {}};
  for (const auto& [id, route] : snapshot.routes) {
    const std::string target = route.target.value_or("");
    const auto integration = target.starts_with("integrations/") ? snapshot.integrations.find(target.substr(13)) : snapshot.integrations.end();
    if (integration == snapshot.integrations.end()) continue;
    const auto number = static_cast<std::uint32_t>(out.routes.size());
    out.routes.push_back({route, integration->second, aws::function_of_integration(integration->second.integration_uri.value_or("")), {}, route.authorization_type.value_or("NONE") == "NONE", throttle_of(stage, route.route_key)});
    if (const auto authorizer = snapshot.authorizers.find(route.authorizer_id.value_or("")); authorizer != snapshot.authorizers.end()) out.routes.back().authorizer = authorizer->second;
    if (route.route_key == "$default") {
      out.table.set_default(number);
      continue;
    }
    const auto space = route.route_key.find(' ');
    out.table.add(route.route_key.substr(0, space), route.route_key.substr(space + 1), number);
  }
  return out;
}

class HttpApiSite final : public edge::Site {
 public:
  HttpApiSite(const StoredApi& api, ApiGateway& gateway)
      : api_(api.api), account_(api.account), region_(api.region), caller_(gateway.caller), spans_(gateway.spans), counters_(gateway.counters), gateway_(gateway) {
    for (const auto& [name, stage] : api.stages) {
      // A stage that deploys by itself serves what is there now.
      const auto snapshot = api.snapshots.find(stage.deployment_id.value_or(""));
      const bool frozen = !stage.auto_deploy.value_or(false) && snapshot != api.snapshots.end();
      if (!stage.auto_deploy.value_or(false) && !frozen) continue;
      stages_.emplace(name, compile_stage(stage, frozen ? snapshot->second : api.current, log_of(stage)));
    }
  }

  Task<http::Response> serve(edge::SiteRequest request) const override {
    const std::int64_t began = io::monotonic_micros();
    store::Shard& shard = store::Shard::current();
    telemetry::TraceContext trace = telemetry::TraceContext::read(request.http.header("x-amzn-trace-id"), request.http.header("traceparent"), shard.now());
    telemetry::Span span{.trace = trace.root, .id = telemetry::new_span_id(), .parent = trace.parent, .name = {}, .account = account_, .region = region_,
                         .start = shard.now()};
    trace.parent = span.id;
    span.name = fmt::format("execute-api {} {}", request.http.method, request.path);
    const CompiledStage* stage = nullptr;
    aws::ServedRequest served(request.http);
    served.at = shard.now(), served.domain = request.domain, served.path = request.path;
    http::Response response = co_await answer(request, trace.amzn_header(), stage, served);
    span.status = response.status;
    span.duration = Duration(io::monotonic_micros() - began);
    if (stage) publish(*stage, response, span.duration, served.integration_micros);
    if (stage && stage->access_log) write_access_log(*stage, response, span.duration, served);
    spans_.record(std::move(span));
    co_return response;
  }

 private:
  std::optional<telemetry::AccessLogTarget> log_of(const model::Stage& stage) const {
    if (!stage.access_log_settings) return std::nullopt;
    return telemetry::access_log_target(stage.access_log_settings->destination_arn.value_or(""), stage.access_log_settings->format.value_or(""), md5_hex(*api_.api_id + "/" + stage.stage_name));
  }

  // The stage that the address names, or the first part of the path when a stage has that name, or $default.
  const CompiledStage* choose_stage(edge::SiteRequest& request, bool& in_path) const {
    if (!request.stage.empty()) {
      if (const auto named = stages_.find(request.stage); named != stages_.end()) {
        in_path = request.stage != "$default";
        return &named->second;
      }
      request.path = "/" + request.stage + (request.path == "/" ? std::string() : request.path);
    } else {
      const auto slash = request.path.find('/', 1);
      const std::string first = request.path.substr(1, slash == std::string::npos ? slash : slash - 1);
      if (const auto named = stages_.find(first); named != stages_.end() && first != "$default") {
        in_path = true;
        request.path = slash == std::string::npos ? std::string("/") : request.path.substr(slash);
        return &named->second;
      }
    }
    const auto fallback = stages_.find("$default");
    return fallback == stages_.end() ? nullptr : &fallback->second;
  }

  // https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
  void publish(const CompiledStage& stage, const http::Response& response, Duration took, std::int64_t integration_micros) const {
    using metrics::Unit;
    const double latency = static_cast<double>(took.count()) / 1000;
    const std::initializer_list<metrics::Measure> measures = {
        {"Count", 1},
        {"4xx", response.status >= 400 && response.status < 500 ? 1.0 : 0.0},
        {"5xx", response.status >= 500 ? 1.0 : 0.0},
        {"Latency", latency, Unit::kMilliseconds},
        {"DataProcessed", static_cast<double>(response.body.size()), Unit::kBytes},
        {"IntegrationLatency", static_cast<double>(integration_micros) / 1000, Unit::kMilliseconds, integration_micros < 0 ? 0.0 : 1.0},
    };
    counters_.add({account_, region_, "AWS/ApiGateway", {{"ApiId", *api_.api_id}}}, measures);
    counters_.add({account_, region_, "AWS/ApiGateway", {{"ApiId", *api_.api_id}, {"Stage", stage.stage.stage_name}}}, measures);
  }

  void write_access_log(const CompiledStage& stage, const http::Response& response, Duration took, aws::ServedRequest& served) const {
    served.account = account_, served.api_id = *api_.api_id, served.stage = stage.stage.stage_name;
    served.status = response.status, served.response_bytes = response.body.size(), served.latency_micros = took.count();
    gateway_.access_log.write(*stage.access_log, stage.access_log->format.render([&](std::string_view name) { return served.value(name); }));
  }

  Task<http::Response> answer(edge::SiteRequest& request, const std::string& trace, const CompiledStage*& stage, aws::ServedRequest& served) const {
    bool stage_in_path = false;
    stage = choose_stage(request, stage_in_path);
    if (!stage) co_return message(404, "Not Found");
    const auto match = stage->table.match(request.http.method, request.path);
    const std::string_view origin = request.http.header("origin");
    // API Gateway answers preflights itself once CORS is configured, unless a route takes OPTIONS.
    if (api_.cors_configuration && request.http.method == "OPTIONS" && !origin.empty() &&
        (!match || !stage->routes[match->route].route.route_key.starts_with("OPTIONS "))) {
      http::Response preflight;
      preflight.status = 204;
      add_cors(preflight, request.http, true);
      co_return preflight;
    }
    const std::string request_id = served.request_id = make_request_id();
    if (!match) {
      served.error = "Not Found";
      co_return message(404, "Not Found");
    }
    const CompiledRoute& route = stage->routes[match->route];
    served.route_key = route.route.route_key;
    if (route.throttle && !route.throttle->limit->take(served.at, route.throttle->rate, route.throttle->burst)) {
      served.error = "Too Many Requests";
      co_return message(429, "Too Many Requests");
    }
    Admission admitted;
    http::ReplayedBody body;
    if (route.route.authorization_type == "AWS_IAM") {
      if (auto read = co_await body.read(request.http, kBodyBytesMax); !read) co_return unread(read.error());
      admitted = admit_signer(gateway_, request.http, body.text(), account_, served.at);
    } else if (!route.is_open) {
      const aws::ProxyRequest event = make_event(request, *stage, route, *match, stage_in_path, request_id, trace, "");
      admitted = route.authorizer ? co_await admit(gateway_, *route.authorizer, route.route.authorization_scopes.value_or(std::vector<std::string>{}), event, region_)
                                  : Admission{.refusal = message(500, "Internal Server Error")};
    }
    if (!route.is_open) {
      served.authorizer = admitted.for_v2;
      if (admitted.refusal) {
        served.error = admitted.refusal->status == 401 ? "Unauthorized" : admitted.refusal->status == 403 ? "Forbidden" : "Internal Server Error";
        if (api_.cors_configuration && !origin.empty()) add_cors(*admitted.refusal, request.http, false);
        admitted.refusal->set("apigw-requestid", request_id);
        co_return *std::move(admitted.refusal);
      }
    }
    const std::int64_t began = io::monotonic_micros();
    http::Response response = co_await integrate(request, *stage, route, *match, stage_in_path, trace, admitted, served, body);
    served.integration_micros = io::monotonic_micros() - began;
    served.integration_status = response.status;
    if (api_.cors_configuration && !origin.empty()) add_cors(response, request.http, false);
    response.set("apigw-requestid", request_id);
    co_return response;
  }

  // The integration, with what it changes on the way there and back.
  Task<http::Response> integrate(edge::SiteRequest& request, const CompiledStage& stage, const CompiledRoute& route, const edge::RouteMatch& match, bool stage_in_path,
                                 const std::string& trace, const Admission& admitted, aws::ServedRequest& served, http::ReplayedBody& body) const {
    const model::Integration& integration = route.integration;
    if (request.http.body && request.http.body->size().value_or(0) > kBodyBytesMax) co_return message(413, "Request Entity Too Large");
    // Most integrations change nothing.
    if (!integration.integration_subtype && !integration.request_parameters && !integration.response_parameters)
      co_return co_await hand_on(request, stage, route, match, stage_in_path, trace, admitted, served, {});
    static const ParameterMap kNone;
    const ParameterMap& parameters = integration.request_parameters ? *integration.request_parameters : kNone;
    served.account = account_, served.api_id = *api_.api_id, served.stage = stage.stage.stage_name;
    MappingValues values{.request = &request.http, .path = percent_decode(request.path), .parameters = match.parameters, .request_body = {}, .response_body = {}, .response = nullptr,
                         .context = &served, .stage_variables = stage.stage.stage_variables ? &*stage.stage.stage_variables : nullptr};
    if (integration.integration_subtype || needs_body(parameters, "request")) {
      if (auto read = co_await body.read(request.http, kBodyBytesMax); !read) co_return unread(read.error());
      values.request_body = body.text();
    }
    http::Response response;
    if (integration.integration_subtype) {
      Call call = caller_.internal_call(account_, region_);
      call.trace_id = trace;
      response = co_await call_service(caller_, std::move(call), *integration.integration_subtype, parameters, values);
    } else if (parameters.empty()) {
      response = co_await hand_on(request, stage, route, match, stage_in_path, trace, admitted, served, {});
    } else {
      Rewritten changed = rewrite_request(parameters, values);
      edge::SiteRequest rewritten{.http = changed.request, .id = request.id, .path = request.path, .stage = request.stage, .domain = request.domain};
      response = co_await hand_on(rewritten, stage, route, match, stage_in_path, trace, admitted, served, changed.path);
    }
    if (!integration.response_parameters) co_return response;
    const auto changes = integration.response_parameters->find(std::to_string(response.status));
    if (changes == integration.response_parameters->end()) co_return response;
    if (needs_body(changes->second, "response") && response.stream) {
      auto read = co_await http::read_all(*response.stream, kBodyBytesMax);
      if (!read) co_return message(502, "Bad Gateway");
      response.body = *std::move(read);
      response.stream = nullptr;
    }
    values.response = &response, values.response_body = response.body;
    rewrite_response(changes->second, values, response);
    co_return response;
  }

  Task<http::Response> hand_on(edge::SiteRequest& request, const CompiledStage& stage, const CompiledRoute& route, const edge::RouteMatch& match, bool stage_in_path,
                               const std::string& trace, const Admission& admitted, const aws::ServedRequest& served, const std::optional<std::string>& path) const {
    if (route.integration.integration_type == "HTTP_PROXY") co_return co_await call_http(request, route, match, path);
    co_return co_await call_function(request, stage, route, match, stage_in_path, served.request_id, trace, admitted);
  }

  static http::Response unread(const Failure& failure) {
    return failure.code == EMSGSIZE ? message(413, "Request Entity Too Large") : message(400, "Bad Request");
  }

  static std::string make_request_id() { return base64url_encode(telemetry::new_span_id()).substr(0, 15) + "="; }

  // https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
  void add_cors(http::Response& response, const http::Request& request, bool preflight) const {
    const model::Cors& cors = *api_.cors_configuration;
    const std::string origin(request.header("origin"));
    const auto origins = cors.allow_origins.value_or(std::vector<std::string>{});
    const bool any = std::find(origins.begin(), origins.end(), "*") != origins.end();
    const bool allowed = any || std::any_of(origins.begin(), origins.end(), [&](const std::string& o) {
      return o == origin || matches_wildcard(o, origin);
    });
    if (!allowed) return;
    std::erase_if(response.headers, [](const auto& header) { return header.first.starts_with("access-control-"); });
    const bool credentials = cors.allow_credentials.value_or(false);
    response.set("access-control-allow-origin", any && !credentials ? "*" : origin);
    if (!any || credentials) response.set("vary", "Origin");
    if (credentials) response.set("access-control-allow-credentials", "true");
    if (cors.expose_headers && !cors.expose_headers->empty()) response.set("access-control-expose-headers", join(*cors.expose_headers, ","));
    if (!preflight) return;
    if (cors.allow_methods && !cors.allow_methods->empty()) {
      const bool all = cors.allow_methods->front() == "*";
      response.set("access-control-allow-methods", all ? "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT" : join(*cors.allow_methods, ","));
    }
    if (cors.allow_headers && !cors.allow_headers->empty()) {
      const bool all = cors.allow_headers->front() == "*";
      response.set("access-control-allow-headers", all && credentials ? std::string(request.header("access-control-request-headers")) : join(*cors.allow_headers, ","));
    }
    if (cors.max_age) response.set("access-control-max-age", std::to_string(*cors.max_age));
  }

  // `path`: instead of the URL's own.
  Task<http::Response> call_http(const edge::SiteRequest& request, const CompiledRoute& route, const edge::RouteMatch& match, const std::optional<std::string>& path) const {
    std::string url = route.integration.integration_uri.value_or("");
    for (const auto& [name, value] : match.parameters) {
      url = replace_all(url, "{" + name + "}", percent_encode(value, true));
      url = replace_all(url, "{" + name + "+}", percent_encode(value, true));
    }
    if (const auto slash = url.find('/', std::min(url.size(), url.find("://") + 3)); path) url = url.substr(0, slash) + percent_encode(*path, true);
    const std::string method = route.integration.integration_method.value_or("ANY");
    auto reply = co_await edge::forward(request.http, {.url = url, .method = method == "ANY" ? "" : method,
                                                       .timeout = std::chrono::milliseconds(route.integration.timeout_in_millis.value_or(30'000))});
    if (!reply) co_return reply.error().code == ETIMEDOUT ? message(503, "Service Unavailable") : message(500, "Internal Server Error");
    co_return *std::move(reply);
  }

  aws::ProxyRequest make_event(const edge::SiteRequest& request, const CompiledStage& stage, const CompiledRoute& route, const edge::RouteMatch& match, bool stage_in_path,
                               const std::string& request_id, const std::string& trace, std::string_view body) const {
    const auto space = route.route.route_key.find(' ');
    aws::ProxyRequest event{.http = request.http, .body = body, .account = account_, .api_id = *api_.api_id, .stage = stage.stage.stage_name,
                            .domain = request.domain, .route_key = route.route.route_key,
                            .resource_path = space == std::string::npos ? route.route.route_key : route.route.route_key.substr(space + 1),
                            .resource_id = {}, .path = percent_decode(request.path), .stage_in_path = stage_in_path, .parameters = match.parameters,
                            .stage_variables = {}, .request_id = request_id, .trace_id = trace, .now = store::Shard::current().now(),
                            .body_is_text = aws::is_text_body(request.http.header("content-type")), .authorizer = {}};
    if (stage.stage.stage_variables)
      for (const auto& [key, value] : *stage.stage.stage_variables) event.stage_variables.emplace(key, value);
    return event;
  }

  Task<http::Response> call_function(const edge::SiteRequest& request, const CompiledStage& stage, const CompiledRoute& route, const edge::RouteMatch& match,
                                     bool stage_in_path, const std::string& request_id, const std::string& trace, const Admission& admitted) const {
    auto body = co_await http::read_all(*request.http.body, kBodyBytesMax);
    if (!body) co_return unread(body.error());
    const bool is_v2 = route.integration.payload_format_version.value_or("1.0") == "2.0";
    aws::ProxyRequest event = make_event(request, stage, route, match, stage_in_path, request_id, trace, *body);
    event.authorizer = is_v2 ? admitted.for_v2 : admitted.for_v1;
    event.identity = admitted.identity;
    Call call = caller_.internal_call(account_, region_);
    call.trace_id = trace;
    aws::lambda::InvokeInput invoke;
    invoke.function_name = route.function;
    for (const auto& [key, value] : event.stage_variables) invoke.function_name = replace_all(invoke.function_name, "${stageVariables." + key + "}", value);
    invoke.payload = is_v2 ? aws::event_v2(event) : aws::event_v1(event, true);
    const auto out = co_await caller_.call<aws::lambda::InvokeOutput>(call, aws::lambda::ops::kInvoke, invoke);
    if (!out) co_return out.error().status == 429 ? message(503, "Service Unavailable") : message(500, "Internal Server Error");
    if (out->function_error) co_return message(500, "Internal Server Error");
    auto response = aws::read_proxy_reply(out->payload.value_or("null"), is_v2);
    if (!response) co_return message(500, "Internal Server Error");
    co_return *std::move(response);
  }

  model::Api api_;
  std::string account_, region_;
  aws::Caller& caller_;
  telemetry::Spans& spans_;
  metrics::Counters& counters_;
  ApiGateway& gateway_;
  std::map<std::string, CompiledStage, std::less<>> stages_;
};

}  // namespace

std::shared_ptr<const edge::Site> compile(const StoredApi& api, ApiGateway& gateway) {
  return std::make_shared<HttpApiSite>(api, gateway);
}

}  // namespace reef::service::apigatewayv2
