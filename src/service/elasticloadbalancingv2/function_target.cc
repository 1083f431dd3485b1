// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
#include <fmt/format.h>

#include "aws/models/lambda.h"
#include "aws/proxy_event.h"
#include "base/encoding.h"
#include "engine/edge/balancer/handler.h"
#include "service/elasticloadbalancingv2/elb.h"

namespace reef::service::elb {
namespace {

using wire::Json;

constexpr std::uint64_t kBodyBytesMax = 1024 * 1024;

// Names and values as a function gets them: the last value of each, or all of them in an array.
class Multi {
 public:
  void add(std::string name, std::string value) {
    for (auto& [key, values] : entries_)
      if (key == name) return values.push_back(std::move(value));
    entries_.push_back({std::move(name), {std::move(value)}});
  }
  Json json(bool all) const {
    Json out = Json::object();
    for (const auto& [name, values] : entries_) {
      if (!all) {
        out.set(name, values.back());
        continue;
      }
      Json array = Json::array();
      for (const std::string& value : values) array.push_back(value);
      out.set(name, std::move(array));
    }
    return out;
  }

 private:
  std::vector<std::pair<std::string, std::vector<std::string>>> entries_;
};

Json make_event(const edge::GroupSettings& group, const http::Request& request, const std::string& body, const std::string& ip) {
  Json out = Json::object();
  out.set("requestContext", Json::object({{"elb", Json::object({{"targetGroupArn", group.id}})}}));
  out.set("httpMethod", request.method);
  out.set("path", std::string(request.path));
  Multi query, headers;
  if (!request.query.empty())
    for (const std::string_view pair : split(request.query, '&')) {
      const auto equals = pair.find('=');
      query.add(std::string(pair.substr(0, equals)), equals == std::string_view::npos ? std::string() : std::string(pair.substr(equals + 1)));
    }
  bool has_trace = false, has_host = false;
  for (const http::HeaderView& header : request.headers) {
    if (header.name == "connection" || header.name.starts_with("x-forwarded-")) continue;
    has_trace = has_trace || header.name == "x-amzn-trace-id";
    has_host = has_host || header.name == "host";
    headers.add(std::string(header.name), std::string(header.value));
  }
  if (!has_host) headers.add("host", std::string(request.host));
  if (!has_trace) headers.add("x-amzn-trace-id", edge::make_trace({}, to_seconds(store::Shard::current().now()), thread_random().next(), thread_random().next()));
  const std::string_view before = request.header("x-forwarded-for");
  headers.add("x-forwarded-for", before.empty() ? ip : std::string(before) + ", " + ip);
  const auto colon = request.host.rfind(':');
  headers.add("x-forwarded-port", colon == std::string_view::npos ? (request.is_tls ? "443" : "80") : std::string(request.host.substr(colon + 1)));
  headers.add("x-forwarded-proto", request.is_tls ? "https" : "http");
  const bool all = group.multi_value_headers;
  out.set(all ? "multiValueQueryStringParameters" : "queryStringParameters", query.json(all));
  out.set(all ? "multiValueHeaders" : "headers", headers.json(all));
  const bool text = !request.has_header("content-encoding") && (body.empty() || aws::is_text_body(request.header("content-type"))) && is_valid_utf8(body);
  out.set("body", text ? body : base64_encode(body));
  out.set("isBase64Encoded", !text);
  return out;
}

}  // namespace

Task<http::Response> call_function(aws::Caller& caller, std::shared_ptr<const edge::GroupSettings> group, http::Request& request, std::string client_ip) {
  auto body = co_await http::read_all(*request.body, kBodyBytesMax);
  if (!body) co_return edge::make_error(body.error().code == EMSGSIZE ? 413 : 400);
  aws::lambda::InvokeInput invoke;
  invoke.function_name = group->function;
  invoke.payload = make_event(*group, request, *body, client_ip).dump();
  Call call = caller.internal_call(account_of(group->id), region_of(group->id));
  const auto out = co_await caller.call<aws::lambda::InvokeOutput>(call, aws::lambda::ops::kInvoke, invoke);
  if (!out || out->function_error) co_return edge::make_error(502);
  const auto reply = Json::parse(out->payload.value_or("null"));
  // A reply needs a status code; anything else is malformed.
  const auto status = reply && reply->is_object() && reply->find("statusCode") ? parse_int<int>((*reply)["statusCode"].scalar_text().value_or("")) : std::nullopt;
  if (!status || *status < 100 || *status > 599) co_return edge::make_error(502);
  http::Response response;
  response.status = *status;
  response.set("Server", "awselb/2.0");
  if (group->multi_value_headers) {
    for (const auto& [name, values] : (*reply)["multiValueHeaders"].as_object())
      for (const Json& value : values.as_array()) response.add(name, value.scalar_text().value_or(""));
  } else {
    for (const auto& [name, value] : (*reply)["headers"].as_object()) response.add(name, value.scalar_text().value_or(""));
  }
  std::erase_if(response.headers, [](const auto& header) {
    return equals_ignoring_case(header.first, "content-length") || equals_ignoring_case(header.first, "connection") || equals_ignoring_case(header.first, "transfer-encoding");
  });
  response.body = reply->text("body");
  if ((*reply)["isBase64Encoded"].scalar_text() == "true") {
    const auto decoded = base64_decode(response.body);
    if (!decoded) co_return edge::make_error(502);
    response.body = *decoded;
  }
  co_return response;
}

}  // namespace reef::service::elb
