#include "service/s3/cors.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/random.h"
#include "base/text.h"
#include "service/s3/stored_configuration.h"
#include "wire/xml.h"

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

// What every answer of S3 carries.
void add_identity(http::Response& response, std::string_view id) {
  response.set("x-amz-request-id", id);
  response.set("x-amz-id-2", base64_encode(id));
  response.set("Server", "AmazonS3");
}

std::string new_id() { return make_token(thread_random(), 16, "0123456789ABCDEF"); }

http::Response refused(int status, std::string_view code, std::string_view message, std::string_view method = {}, std::string_view resource = {}) {
  const std::string id = new_id();
  http::Response response;
  response.status = status;
  response.set("Content-Type", "application/xml");
  add_identity(response, id);
  wire::XmlWriter xml(response.body);
  xml.declaration();
  xml.open("Error");
  xml.element("Code", code);
  xml.element("Message", message);
  if (!method.empty()) xml.element("Method", method);
  if (!resource.empty()) xml.element("ResourceType", resource);
  xml.element("RequestId", id);
  xml.element("HostId", base64_encode(id));
  xml.close("Error");
  return response;
}

}  // namespace

void add_cors_headers(const blob::Bucket& bucket, const http::Request& request, http::Response& response) {
  const std::string_view origin = request.header("origin");
  if (origin.empty()) return;
  // Honoured on any request, as S3 does.
  const std::string_view asked = request.header("access-control-request-method");
  model::CORSConfiguration configuration;
  if (!read_configuration(bucket, setting::kCors, configuration)) return;
  if (const model::CORSRule* rule = find_rule(configuration.cors_rules, origin, asked.empty() ? std::string_view(request.method) : asked,
                                             request.header("access-control-request-headers")))
    add_headers(*rule, origin, response);
}

bool is_preflight(const blob::Blobs& blobs, const http::Request& request, std::string& path) {
  if (request.method != "OPTIONS") return false;
  path = request.path;
  for (const char* mark : {".s3.", ".s3-", ".localhost"}) {
    const auto at = request.host.find(mark);
    if (at == std::string_view::npos || at == 0) continue;
    if (std::string_view(mark) == ".localhost" && !blobs.find_bucket(request.host.substr(0, at))) continue;
    path = "/" + std::string(request.host.substr(0, at)) + path;
    return true;
  }
  const std::string_view first = std::string_view(path).substr(std::min<std::size_t>(1, path.size()));
  return blobs.find_bucket(percent_decode(first.substr(0, first.find('/')))) != nullptr;
}

http::Response answer_preflight(const blob::Blobs& blobs, std::string_view path, const http::Request& request) {
  const std::string_view origin = request.header("origin");
  if (origin.empty()) return refused(400, "BadRequest", "Insufficient information. Origin request header needed.");
  const std::string_view asked = request.header("access-control-request-method");
  const std::string_view method = asked.empty() ? "OPTIONS" : asked;
  if (path.starts_with('/')) path.remove_prefix(1);
  const auto slash = path.find('/');
  const blob::BucketPtr bucket = blobs.find_bucket(percent_decode(path.substr(0, slash)));
  if (!bucket) return refused(403, "AccessForbidden", "CORSResponse: Bucket not found", method, "BUCKET");
  model::CORSConfiguration configuration;
  if (!read_configuration(*bucket, setting::kCors, configuration))
    return refused(403, "AccessForbidden", "CORSResponse: CORS is not enabled for this bucket.", method, "BUCKET");
  const std::string_view headers = request.header("access-control-request-headers");
  const model::CORSRule* rule = find_rule(configuration.cors_rules, origin, method, headers);
  if (!rule)
    return refused(403, "AccessForbidden", "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request "
                   "method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.",
                   method, slash == std::string_view::npos || slash + 1 == path.size() ? "BUCKET" : "OBJECT");
  http::Response response;
  add_identity(response, new_id());
  add_headers(*rule, origin, response);
  std::string allowed;
  for (const std::string_view one : split(headers, ',')) {
    if (trim(one).empty()) continue;
    if (!allowed.empty()) allowed += ", ";
    allowed += to_lower(trim(one));
  }
  if (!allowed.empty()) response.set("Access-Control-Allow-Headers", allowed);
  return response;
}

}  // namespace reef::s3
