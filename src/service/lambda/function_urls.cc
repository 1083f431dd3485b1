#include "service/lambda/function_urls.h"

#include <fmt/format.h>

#include <map>

#include "aws/proxy_event.h"
#include "aws/request_signer.h"
#include "base/encoding.h"
#include "base/random.h"
#include "engine/store/shard.h"
#include "service/lambda/invocation.h"
#include "service/lambda/limits.h"

namespace reef::service::lambda {
namespace {

using wire::Json;
constexpr std::string_view kMark = ".lambda-url.";

http::Response plain(int status, std::string message) {
  http::Response response;
  response.status = status;
  response.set("content-type", "application/json");
  response.body = Json::object({{"Message", std::move(message)}}).dump();
  return response;
}

bool is_text(std::string_view content_type) {
  for (const std::string_view text : {"text/", "application/json", "application/javascript", "application/xml", "application/x-www-form-urlencoded"})
    if (content_type.starts_with(text)) return true;
  return content_type.empty();
}

Json joined(const std::map<std::string, std::string>& values) {
  Json json = Json::object();
  for (const auto& [name, value] : values) json.set(name, value);
  return json;
}

void add_joined(std::map<std::string, std::string>& values, std::string name, std::string value) {
  auto [entry, is_new] = values.emplace(std::move(name), value);
  if (!is_new) entry->second += "," + value;
}

bool allows(const std::optional<std::vector<std::string>>& list, std::string_view wanted) {
  if (!list) return false;
  for (const std::string& one : *list)
    if (one == "*" || equals_ignoring_case(one, wanted)) return true;
  return false;
}

void add_cors(const model::Cors& cors, const http::Request& request, http::Response& response) {
  const std::string_view origin = request.header("origin");
  if (origin.empty() || !allows(cors.allow_origins, origin)) return;
  const bool any = !cors.allow_credentials.value_or(false) && allows(cors.allow_origins, "*");
  response.set("access-control-allow-origin", any ? "*" : origin);
  if (!any) response.set("vary", "Origin");
  if (cors.allow_credentials.value_or(false)) response.set("access-control-allow-credentials", "true");
  if (cors.expose_headers && !cors.expose_headers->empty()) response.set("access-control-expose-headers", join(*cors.expose_headers, ","));
  if (request.method != "OPTIONS") return;
  if (cors.allow_methods) response.set("access-control-allow-methods", join(*cors.allow_methods, ","));
  if (cors.allow_headers) response.set("access-control-allow-headers", join(*cors.allow_headers, ","));
  if (cors.max_age) response.set("access-control-max-age", std::to_string(*cors.max_age));
}

void apply_prelude(const Json& prelude, http::Response& response) {
  if (const auto status = prelude["statusCode"].as_int()) response.status = static_cast<int>(*status);
  for (const auto& [name, value] : prelude["headers"].as_object()) {
    const std::string lower = to_lower(name);
    if (lower != "content-length" && lower != "connection" && lower != "transfer-encoding" && lower != "date") response.set(name, value.scalar_text().value_or(""));
  }
  for (const Json& cookie : prelude["cookies"].as_array()) response.add("set-cookie", cookie.as_string());
}

}  // namespace

std::string url_text(const std::string& id, const std::string& region, std::string_view endpoint) {
  std::string_view scheme = "http", host = endpoint;
  if (const auto at = endpoint.find("://"); at != std::string_view::npos) {
    scheme = endpoint.substr(0, at);
    host = endpoint.substr(at + 3);
  }
  const auto colon = host.rfind(':');
  const std::string port = colon == std::string_view::npos ? std::string() : std::string(host.substr(colon));
  std::string_view name = host.substr(0, colon);
  // Numeric addresses have no names below them.
  if (name.find_first_not_of("0123456789.") == std::string_view::npos) name = "localhost";
  return fmt::format("{}://{}{}{}.{}{}/", scheme, id, kMark, region, name, port);
}

bool FunctionUrls::wants(const http::Request& request) { return request.host.find(kMark) != std::string_view::npos; }

std::string url_event(const http::Request& request, const std::string& id, const std::string& body, const std::string& request_id, Time now, const aws::Principal* signer) {
  std::map<std::string, std::string> headers, query;
  Json cookies = Json::array();
  for (const auto& header : request.headers) {
    if (header.name == "cookie") {
      for (const std::string_view cookie : split(header.value, ';')) cookies.push_back(Json(trim(cookie)));
      continue;
    }
    add_joined(headers, std::string(header.name), std::string(header.value));
  }
  const std::string domain(request.host.substr(0, request.host.find(':')));
  headers["host"] = domain;
  headers["x-forwarded-proto"] = request.is_tls ? "https" : "http";
  headers["x-forwarded-for"] = aws::source_ip(request);
  if (!request.query.empty())
    for (const std::string_view pair : split(request.query, '&')) {
      const auto equals = pair.find('=');
      add_joined(query, percent_decode(pair.substr(0, equals), true), equals == std::string_view::npos ? std::string() : percent_decode(pair.substr(equals + 1), true));
    }
  Json event = Json::object({{"version", "2.0"}, {"routeKey", "$default"}, {"rawPath", percent_decode(request.path)}, {"rawQueryString", request.query}});
  if (cookies.size() > 0) event.set("cookies", std::move(cookies));
  event.set("headers", joined(headers));
  if (!query.empty()) event.set("queryStringParameters", joined(query));
  event.set("requestContext", Json::object({{"accountId", "anonymous"}, {"apiId", id}, {"domainName", domain}, {"domainPrefix", id},
      {"http", Json::object({{"method", request.method}, {"path", percent_decode(request.path)}, {"protocol", aws::protocol_of(request)},
                             {"sourceIp", aws::source_ip(request)}, {"userAgent", request.header("user-agent")}})},
      {"requestId", request_id}, {"routeKey", "$default"}, {"stage", "$default"}, {"time", aws::request_time(now)}, {"timeEpoch", to_millis(now)}}));
  if (signer) {
    Json& context = *event.find("requestContext");
    context.set("accountId", signer->account);
    context.set("authorizer", Json::object({{"iam", aws::iam_authorizer(*signer)}}));
  }
  const bool as_text = is_text(request.header("content-type")) && is_valid_utf8(body);
  if (!body.empty()) event.set("body", as_text ? body : base64_encode(body));
  event.set("isBase64Encoded", !body.empty() && !as_text);
  return event.dump();
}

http::Response url_response(const std::string& payload) {
  http::Response response;
  response.set("content-type", "application/json");
  const auto json = Json::parse(payload);
  if (!json || !json->is_object() || !json->contains("statusCode")) {
    // Whatever else a function returns is the body.
    response.body = json && json->is_string() ? json->as_string() : payload;
    return response;
  }
  apply_prelude(*json, response);
  const Json& body = (*json)["body"];
  std::string text = body.is_string() ? body.as_string() : body.is_null() ? std::string() : body.dump();
  if ((*json)["isBase64Encoded"].as_bool()) {
    auto bytes = base64_decode(text);
    if (!bytes) return plain(502, "Internal Server Error");
    text = *std::move(bytes);
  }
  response.body = std::move(text);
  return response;
}

Task<http::Response> FunctionUrls::serve(http::Request& request) {
  const std::string id(request.host.substr(0, request.host.find(kMark)));
  auto body = co_await http::read_all(*request.body, limits::kSyncPayloadBytesMax);
  if (!body) co_return plain(body.error().code == EMSGSIZE ? 413 : 400, "Request Entity Too Large");
  store::Shard& home = store::Shard::current();
  const Time now = home.now();
  const std::string request_id = make_uuid(thread_random());

  co_await store::Shard::control().enter();
  const auto found = lambda_.repository.url_by_id(id);
  std::optional<Reply<Answer>> answer;
  const bool is_preflight = found && found->second.config.cors && request.method == "OPTIONS" && request.has_header("access-control-request-method");
  const bool streams = found && found->second.config.invoke_mode == "RESPONSE_STREAM";
  std::optional<aws::RequestSigner> signer;
  if (found && !is_preflight && found->second.config.auth_type == "AWS_IAM") signer = aws::signer_of(lambda_.access_keys, request, *body, found->first.account, now);
  const bool may = found && (!signer || signer->fault == aws::SignatureFault::kNone);
  if (may && !is_preflight) {
    function::Invocation invocation{.request_id = request_id, .payload = url_event(request, id, *body, request_id, now, signer ? &signer->principal : nullptr), .trace_id = std::string(request.header("x-amzn-trace-id")), .wants_stream = streams};
    answer = co_await invoke_function(lambda_, found->first, std::move(invocation));
  }
  co_await home.enter();

  if (!found) co_return plain(404, "Not Found");
  http::Response response;
  if (is_preflight) {
    response.status = 200;
  } else if (!may) {
    response = plain(403, signer->why.empty() ? "Forbidden" : signer->why);
  } else if (!*answer) {
    response = plain((*answer).error().status == 429 ? 429 : 502, (*answer).error().status == 429 ? "Too Many Requests" : "Internal Server Error");
  } else if ((*answer)->outcome.stream) {
    function::PipeReader reader((*answer)->outcome.stream);
    std::string first;
    if ((*answer)->outcome.content_type == "application/vnd.awslambda.http-integration-response") {
      // A JSON prelude, eight NULs, then the body.
      const std::string nuls(8, '\0');
      std::size_t end;
      for (;;) {
        end = first.find(nuls);
        if (end != std::string::npos) break;
        const function::PipePiece piece = co_await reader.read();
        if (piece.bytes.empty()) break;
        first += piece.bytes;
      }
      const auto prelude = Json::parse(std::string_view(first).substr(0, end));
      if (end == std::string::npos || !prelude) co_return plain(502, "Internal Server Error");
      apply_prelude(*prelude, response);
      first.erase(0, end + 8);
    } else {
      response.set("content-type", (*answer)->outcome.content_type);
    }
    response.stream = std::make_unique<function::PipeBody>(std::move(reader), std::move(first));
  } else if ((*answer)->outcome.failed) {
    response = plain(502, "Internal Server Error");
    response.body = "Internal Server Error";
    response.set("x-amzn-errortype", "InternalServerErrorException");
  } else {
    response = url_response((*answer)->outcome.payload);
  }
  if (found->second.config.cors) add_cors(*found->second.config.cors, request, response);
  response.set("x-amzn-requestid", request_id);
  if (const std::string_view trace = request.header("x-amzn-trace-id"); !trace.empty()) response.set("x-amzn-trace-id", trace);
  co_return response;
}

}  // namespace reef::service::lambda
