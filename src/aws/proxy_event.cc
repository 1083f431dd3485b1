#include "aws/proxy_event.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/text.h"

namespace reef::aws {
namespace {

using wire::Json;
using Pairs = std::vector<std::pair<std::string, std::string>>;

// Paths and headers may hold any bytes, JSON may not: what is not UTF-8 becomes U+FFFD.
std::string as_utf8(std::string text) {
  if (is_valid_utf8(text)) return text;
  constexpr std::size_t kLongest = 4;
  constexpr std::uint32_t kReplacement = 0xFFFD;
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t size = 1;
    while (size <= kLongest && !is_valid_utf8(std::string_view(text).substr(at, size))) ++size;
    if (size > kLongest) {
      append_utf8(out, kReplacement);
      ++at;
      continue;
    }
    out.append(text, at, size);
    at += size;
  }
  return out;
}

Pairs query_pairs(std::string_view query) {
  Pairs out;
  if (query.empty()) return out;
  for (const std::string_view part : split(query, '&')) {
    if (part.empty()) continue;
    const auto equals = part.find('=');
    out.emplace_back(percent_decode(part.substr(0, equals), true),
                     equals == std::string_view::npos ? std::string() : percent_decode(part.substr(equals + 1), true));
  }
  return out;
}

// Repeated names joined by commas.
Json joined(const Pairs& pairs) {
  Json out = Json::object();
  for (const auto& [name, value] : pairs) {
    if (Json* existing = out.find(name)) *existing = existing->as_string() + "," + value;
    else out.set(name, value);
  }
  return out;
}
Json last_values(const Pairs& pairs) {
  Json out = Json::object();
  for (const auto& [name, value] : pairs) out.set(name, value);
  return out;
}
Json all_values(const Pairs& pairs) {
  Json out = Json::object();
  for (const auto& [name, value] : pairs) {
    Json* list = out.find(name);
    if (!list) list = &out.set(name, Json::array());
    list->push_back(value);
  }
  return out;
}
Json object_of(const Pairs& pairs) { return pairs.empty() ? Json() : last_values(pairs); }
Json object_of(const std::map<std::string, std::string>& map) {
  if (map.empty()) return {};
  Json out = Json::object();
  for (const auto& [key, value] : map) out.set(key, value);
  return out;
}

void set_body(Json& event, const ProxyRequest& request, bool null_when_empty) {
  if (request.body.empty()) {
    if (null_when_empty) event.set("body", Json());
    event.set("isBase64Encoded", false);
    return;
  }
  const bool text = request.body_is_text && is_valid_utf8(request.body);
  event.set("body", text ? std::string(request.body) : base64_encode(request.body));
  event.set("isBase64Encoded", !text);
}

Pairs header_pairs(const ProxyRequest& request, bool with_cookies) {
  Pairs out;
  for (const auto& header : request.http.headers)
    if (with_cookies || header.name != "cookie") out.emplace_back(header.name, header.value);
  const auto has = [&](std::string_view name) { return request.http.has_header(name); };
  if (!has("host")) out.emplace_back("host", request.http.host);
  if (!has("x-amzn-trace-id")) out.emplace_back("x-amzn-trace-id", request.trace_id);
  if (!has("x-forwarded-for")) out.emplace_back("x-forwarded-for", source_ip(request.http));
  if (!has("x-forwarded-proto")) out.emplace_back("x-forwarded-proto", request.http.is_tls ? "https" : "http");
  if (!has("x-forwarded-port")) {
    const auto colon = request.http.host.rfind(':');
    out.emplace_back("x-forwarded-port", colon == std::string_view::npos ? (request.http.is_tls ? "443" : "80") : std::string(request.http.host.substr(colon + 1)));
  }
  return out;
}

}  // namespace

std::string source_ip(const http::Request& request) { return request.peer.substr(0, request.peer.rfind(':')); }

// "20/Nov/2026:22:38:29 +0000"
std::string request_time(Time now) {
  const std::string http = format_http_date(now);  // "Fri, 20 Nov 2026 22:38:29 GMT"
  return fmt::format("{}/{}/{}:{} +0000", http.substr(5, 2), http.substr(8, 3), http.substr(12, 4), http.substr(17, 8));
}

std::string_view protocol_of(const http::Request& request) { return request.version == 20 ? "HTTP/2.0" : request.version == 10 ? "HTTP/1.0" : "HTTP/1.1"; }

std::string function_of_integration(const std::string& uri) {
  const auto at = uri.find("/functions/");
  if (at == std::string::npos) return uri;
  const auto end = uri.rfind("/invocations");
  return uri.substr(at + 11, end == std::string::npos ? end : end - at - 11);
}

bool is_text_body(std::string_view content_type) {
  const std::string type = to_lower(trim(content_type.substr(0, content_type.find(';'))));
  return type.empty() || type.starts_with("text/") || type == "application/json" || type == "application/xml" || type == "application/javascript" ||
         type.ends_with("+json") || type.ends_with("+xml");
}

std::string event_v2(const ProxyRequest& request) {
  const http::Request& http = request.http;
  Json event = Json::object({{"version", "2.0"}, {"routeKey", request.route_key}});
  const std::string path = request.stage_in_path ? "/" + request.stage + request.path : request.path;
  event.set("rawPath", path);
  event.set("rawQueryString", http.query);
  Json cookies = Json::array();
  for (const auto& header : http.headers)
    if (header.name == "cookie")
      for (const std::string_view cookie : split(header.value, ';')) cookies.push_back(trim(cookie));
  if (cookies.size()) event.set("cookies", std::move(cookies));
  event.set("headers", joined(header_pairs(request, false)));
  if (const Pairs query = query_pairs(http.query); !query.empty()) event.set("queryStringParameters", joined(query));
  Json context = Json::object({{"accountId", request.account}, {"apiId", request.api_id}, {"domainName", request.domain},
                               {"domainPrefix", request.domain.substr(0, request.domain.find('.'))}});
  if (!request.authorizer.is_null()) context.set("authorizer", request.authorizer);
  context.set("http", Json::object({{"method", http.method}, {"path", path}, {"protocol", protocol_of(http)}, {"sourceIp", source_ip(http)},
                                    {"userAgent", http.header("user-agent")}}));
  context.set("requestId", request.request_id);
  context.set("routeKey", request.route_key);
  context.set("stage", request.stage);
  context.set("time", request_time(request.now));
  context.set("timeEpoch", to_millis(request.now));
  event.set("requestContext", std::move(context));
  if (!request.parameters.empty()) event.set("pathParameters", last_values(request.parameters));
  if (!request.stage_variables.empty()) event.set("stageVariables", object_of(request.stage_variables));
  set_body(event, request, false);
  return as_utf8(event.dump());
}

std::string event_v1(const ProxyRequest& request, bool is_http_api) {
  const http::Request& http = request.http;
  const Pairs query = query_pairs(http.query), headers = header_pairs(request, true);
  Json event = Json::object();
  if (is_http_api) event.set("version", "1.0");
  event.set("resource", request.resource_path);
  event.set("path", is_http_api && request.stage_in_path ? "/" + request.stage + request.path : request.path);
  event.set("httpMethod", http.method);
  event.set("headers", last_values(headers));
  event.set("multiValueHeaders", all_values(headers));
  event.set("queryStringParameters", query.empty() ? Json() : last_values(query));
  event.set("multiValueQueryStringParameters", query.empty() ? Json() : all_values(query));
  event.set("pathParameters", object_of(request.parameters));
  event.set("stageVariables", object_of(request.stage_variables));
  Json context = Json::object({{"accountId", request.account}, {"apiId", request.api_id}});
  if (!request.authorizer.is_null()) context.set("authorizer", request.authorizer);
  context.set("domainName", request.domain);
  context.set("domainPrefix", request.domain.substr(0, request.domain.find('.')));
  context.set("extendedRequestId", request.request_id);
  context.set("httpMethod", http.method);
  Json& identity = context.set("identity", Json::object({{"accessKey", Json()}, {"accountId", Json()}, {"caller", Json()}, {"cognitoAuthenticationProvider", Json()},
                                        {"cognitoAuthenticationType", Json()}, {"cognitoIdentityId", Json()}, {"cognitoIdentityPoolId", Json()},
                                        {"sourceIp", source_ip(http)}, {"user", Json()}, {"userAgent", http.header("user-agent")}, {"userArn", Json()}}));
  for (const auto& [name, value] : request.identity.as_object()) identity.set(name, value);
  context.set("path", "/" + request.stage + request.path);
  context.set("protocol", protocol_of(http));
  context.set("requestId", request.request_id);
  context.set("requestTime", request_time(request.now));
  context.set("requestTimeEpoch", to_millis(request.now));
  context.set("resourceId", request.resource_id);
  context.set("resourcePath", request.resource_path);
  context.set("stage", request.stage);
  event.set("requestContext", std::move(context));
  set_body(event, request, true);
  return as_utf8(event.dump());
}

Result<http::Response, std::string> read_proxy_reply(std::string_view payload, bool is_v2) {
  http::Response out;
  auto json = Json::parse(payload);
  if (!json) return Err(std::string("the function's reply is not JSON"));
  if (!json->is_object() || !json->contains("statusCode")) {
    if (!is_v2) return Err(std::string("Malformed Lambda proxy response"));
    // Format 2.0 takes anything else as the body: a string as it is, the rest as JSON.
    out.set("content-type", "application/json");
    if (json->is_null()) return out;
    out.body = json->is_string() ? json->as_string() : std::string(payload);
    return out;
  }
  const Json& status = (*json)["statusCode"];
  const auto code = status.is_string() ? parse_int(status.as_string()) : status.as_int();
  if (!code || *code < 100 || *code > 599) return Err(std::string("Malformed Lambda proxy response: statusCode"));
  out.status = static_cast<int>(*code);
  for (const auto& [name, value] : (*json)["headers"].as_object())
    if (const auto text = value.scalar_text()) out.set(to_lower(name), *text);
  for (const auto& [name, values] : (*json)["multiValueHeaders"].as_object()) {
    std::erase_if(out.headers, [&](const auto& header) { return equals_ignoring_case(header.first, name); });
    for (const Json& value : values.as_array())
      if (const auto text = value.scalar_text()) out.add(to_lower(name), *text);
  }
  if (is_v2)
    for (const Json& cookie : (*json)["cookies"].as_array()) out.add("set-cookie", cookie.as_string());
  const Json& body = (*json)["body"];
  if (!body.is_null()) {
    if (!body.is_string() && !is_v2) return Err(std::string("Malformed Lambda proxy response: body"));
    out.body = body.is_string() ? body.as_string() : body.dump();
  }
  if ((*json)["isBase64Encoded"].as_bool()) {
    auto bytes = base64_decode(out.body);
    if (!bytes) return Err(std::string("Malformed Lambda proxy response: body is not base64"));
    out.body = *std::move(bytes);
  }
  std::erase_if(out.headers, [](const auto& header) { return header.first == "content-length" || header.first == "transfer-encoding" || header.first == "connection"; });
  if (!out.find("content-type")) out.set("content-type", is_v2 ? "text/plain;charset=utf-8" : "application/json");
  return out;
}

}  // namespace reef::aws
