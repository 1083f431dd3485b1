#include "service/s3/cors.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "service/s3/stored_configuration.h"

namespace reef::s3 {
namespace {

bool allows_origin(const model::CORSRule& rule, std::string_view origin) {
  return std::ranges::any_of(rule.allowed_origins, [&](const std::string& allowed) { return matches_wildcard(allowed, origin); });
}
bool allows_method(const model::CORSRule& rule, std::string_view method) {
  return std::ranges::find(rule.allowed_methods, method) != rule.allowed_methods.end();
}
bool allows_headers(const model::CORSRule& rule, std::string_view wanted) {
  for (const std::string_view one : split(wanted, ',')) {
    const std::string header = to_lower(trim(one));
    if (header.empty()) continue;
    const bool allowed = rule.allowed_headers && std::ranges::any_of(*rule.allowed_headers, [&](const std::string& pattern) {
                           return matches_wildcard(to_lower(pattern), header);
                         });
    if (!allowed) return false;
  }
  return true;
}

const model::CORSRule* find_rule(const std::vector<model::CORSRule>& rules, std::string_view origin, std::string_view method,
                                 std::string_view headers) {
  for (const model::CORSRule& rule : rules)
    if (allows_origin(rule, origin) && allows_method(rule, method) && allows_headers(rule, headers)) return &rule;
  return nullptr;
}

void add_headers(const model::CORSRule& rule, std::string_view origin, http::Response& response) {
  const bool any = std::ranges::find(rule.allowed_origins, "*") != rule.allowed_origins.end();
  response.set("Access-Control-Allow-Origin", any ? "*" : origin);
  if (!any) response.set("Access-Control-Allow-Credentials", "true");
  response.set("Access-Control-Allow-Methods", join(rule.allowed_methods, ", "));
  if (rule.expose_headers) response.set("Access-Control-Expose-Headers", join(*rule.expose_headers, ", "));
  if (rule.max_age_seconds) response.set("Access-Control-Max-Age", std::to_string(*rule.max_age_seconds));
  response.set("Vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method");
}

http::Response forbidden(std::string_view message) {
  http::Response response;
  response.status = 403;
  response.set("content-type", "application/xml");
  response.body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessForbidden</Code><Message>" + std::string(message) +
                  "</Message></Error>";
  return response;
}

}  // namespace

void add_cors_headers(const blob::Bucket& bucket, const http::Request& request, http::Response& response) {
  const std::string_view origin = request.header("origin");
  if (origin.empty()) return;
  model::CORSConfiguration configuration;
  if (!read_configuration(bucket, setting::kCors, configuration)) return;
  if (const model::CORSRule* rule = find_rule(configuration.cors_rules, origin, request.method, ""))
    add_headers(*rule, origin, response);
}

bool is_preflight(const blob::Blobs& blobs, const http::Request& request, std::string& path) {
  if (request.method != "OPTIONS" || !request.has_header("access-control-request-method")) return false;
  path = request.path;
  const std::string_view first = std::string_view(path).substr(std::min<std::size_t>(1, path.size()));
  if (blobs.find_bucket(percent_decode(first.substr(0, first.find('/'))))) return true;
  for (const char* mark : {".s3.", ".s3-", ".localhost"}) {
    const auto at = request.host.find(mark);
    if (at == std::string_view::npos || !blobs.find_bucket(request.host.substr(0, at))) continue;
    path = "/" + std::string(request.host.substr(0, at)) + path;
    return true;
  }
  return false;
}

http::Response answer_preflight(const blob::Blobs& blobs, std::string_view path, const http::Request& request) {
  const std::string_view origin = request.header("origin"), method = request.header("access-control-request-method");
  if (origin.empty() || method.empty()) {
    http::Response response = forbidden("Insufficient information. Origin request header needed.");
    response.status = 400;
    return response;
  }
  if (path.starts_with('/')) path.remove_prefix(1);
  const blob::BucketPtr bucket = blobs.find_bucket(percent_decode(path.substr(0, path.find('/'))));
  model::CORSConfiguration configuration;
  if (!bucket || !read_configuration(*bucket, setting::kCors, configuration))
    return forbidden("CORSResponse: CORS is not enabled for this bucket.");
  const std::string_view headers = request.header("access-control-request-headers");
  const model::CORSRule* rule = find_rule(configuration.cors_rules, origin, method, headers);
  if (!rule)
    return forbidden("CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request "
                     "method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the "
                     "resource's CORS spec.");
  http::Response response;
  add_headers(*rule, origin, response);
  if (!headers.empty()) response.set("Access-Control-Allow-Headers", to_lower(headers));
  return response;
}

}  // namespace reef::s3
