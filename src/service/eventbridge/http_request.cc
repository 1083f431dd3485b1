#include "service/eventbridge/http_request.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/text.h"
#include "engine/events/transform.h"

namespace reef::service::eventbridge {
namespace {

using wire::Json;

void add_query(std::string& query, std::string_view name, std::string_view value) {
  if (!query.empty()) query += '&';
  query += percent_encode(name) + "=" + percent_encode(value);
}

void set_header(http::Outgoing& request, std::string_view name, std::string_view value) {
  std::erase_if(request.headers, [&](const auto& one) { return equals_ignoring_case(one.first, name); });
  request.headers.emplace_back(name, value);
}

// The lists of {Key, Value} that connections add to each request.
void add_parameters(http::Outgoing& request, std::string& query, Json& body, const Json& parameters) {
  for (const Json& one : parameters["HeaderParameters"].as_array()) set_header(request, one.text("Key"), one.text("Value"));
  for (const Json& one : parameters["QueryStringParameters"].as_array()) add_query(query, one.text("Key"), one.text("Value"));
  for (const Json& one : parameters["BodyParameters"].as_array()) body.set(one.text("Key"), one["Value"]);
}

http::Outgoing request_to(const Endpoint& endpoint, std::string method) {
  http::Outgoing request{.method = std::move(method), .host = endpoint.host, .port = endpoint.port, .tls = endpoint.tls, .target = {}, .headers = {}, .body = {}};
  request.headers.emplace_back("User-Agent", "Amazon/EventBridge/ApiDestinations");
  return request;
}

void finish(http::Outgoing& request, const Endpoint& endpoint, const std::string& path, const std::string& query) {
  request.target = path;
  std::string all = endpoint.query;
  if (!query.empty()) all += (all.empty() ? "" : "&") + query;
  if (!all.empty()) request.target += "?" + all;
}

}  // namespace

std::optional<Endpoint> parse_endpoint(std::string_view url) {
  Endpoint out;
  if (url.starts_with("https://")) out.tls = true;
  else if (!url.starts_with("http://")) return std::nullopt;
  url.remove_prefix(out.tls ? 8 : 7);
  const auto end = std::min(url.find_first_of("/?"), url.size());
  std::string_view authority = url.substr(0, end), rest = url.substr(end);
  out.port = out.tls ? 443 : 80;
  if (const auto colon = authority.rfind(':'); colon != std::string_view::npos && authority.back() != ']') {
    const auto port = parse_int<int>(authority.substr(colon + 1));
    if (!port || *port < 1 || *port > 65535) return std::nullopt;
    out.port = *port;
    authority = authority.substr(0, colon);
  }
  out.host = authority;
  if (out.host.empty() || url.find_first_of(" \r\n\t") != std::string_view::npos) return std::nullopt;
  const auto question = rest.find('?');
  out.path = rest.substr(0, question);
  if (out.path.empty()) out.path = "/";
  if (question != std::string_view::npos) out.query = rest.substr(question + 1);
  return out;
}

std::optional<http::Outgoing> token_request(const Json& oauth) {
  const auto endpoint = parse_endpoint(oauth.text("AuthorizationEndpoint"));
  if (!endpoint) return std::nullopt;
  http::Outgoing request = request_to(*endpoint, oauth.text("HttpMethod"));
  std::string query;
  Json fields = Json::object({{"grant_type", "client_credentials"}, {"client_id", oauth["ClientParameters"].text("ClientID")}, {"client_secret", oauth["ClientParameters"].text("ClientSecret")}});
  add_parameters(request, query, fields, oauth["OAuthHttpParameters"]);
  std::string form;
  for (const auto& [name, value] : fields.as_object()) add_query(form, name, value.scalar_text().value_or(""));
  if (request.method == "GET") {
    query += (query.empty() ? "" : "&") + form;
  } else {
    set_header(request, "Content-Type", "application/x-www-form-urlencoded");
    request.body = std::move(form);
  }
  finish(request, *endpoint, endpoint->path, query);
  return request;
}

std::optional<http::Outgoing> destination_request(const ApiDestination& destination, const Connection& connection, const std::string& bearer,
                                                  const model::Target& target, const std::string& event, std::string input) {
  const auto endpoint = parse_endpoint(destination.endpoint);
  if (!endpoint) return std::nullopt;
  const auto parsed = Json::parse(event);
  const auto value_of = [&](const std::string& given) {
    const auto part = given.starts_with("$.") && parsed ? events::find_path(*parsed, given) : std::nullopt;
    return part ? part->scalar_text().value_or(part->dump()) : given;
  };
  http::Outgoing request = request_to(*endpoint, destination.method);
  set_header(request, "Content-Type", "application/json; charset=utf-8");
  std::string path = endpoint->path, query;
  if (target.http_parameters) {
    const auto& parameters = *target.http_parameters;
    if (parameters.path_parameter_values)
      for (const std::string& one : *parameters.path_parameter_values)
        if (const auto star = path.find('*'); star != std::string::npos) path.replace(star, 1, percent_encode(value_of(one)));
    if (parameters.query_string_parameters)
      for (const auto& [name, value] : *parameters.query_string_parameters) add_query(query, name, value_of(value));
    if (parameters.header_parameters)
      for (const auto& [name, value] : *parameters.header_parameters) set_header(request, name, value_of(value));
  }
  // What the connection says wins over what the target says.
  Json added = Json::object();
  add_parameters(request, query, added, connection.auth["InvocationHttpParameters"]);
  if (connection.type == "BASIC") {
    const Json& basic = connection.auth["BasicAuthParameters"];
    set_header(request, "Authorization", "Basic " + base64_encode(basic.text("Username") + ":" + basic.text("Password")));
  } else if (connection.type == "API_KEY") {
    const Json& key = connection.auth["ApiKeyAuthParameters"];
    set_header(request, key.text("ApiKeyName"), key.text("ApiKeyValue"));
  } else {
    set_header(request, "Authorization", "Bearer " + bearer);
  }
  if (added.size() > 0)
    if (auto body = Json::parse(input); body && body->is_object()) {
      for (const auto& [name, value] : added.as_object()) body->set(name, value);
      input = body->dump();
    }
  if (destination.method != "GET" && destination.method != "HEAD") request.body = std::move(input);
  finish(request, *endpoint, path, query);
  // Header fields are one line each, whatever an event says.
  for (auto& [name, value] : request.headers) value = replace_all(replace_all(value, "\r", " "), "\n", " ");
  return request;
}

Reply<void> check_endpoint(std::string_view parameter, const std::string& url) {
  const auto endpoint = parse_endpoint(url);
  const bool is_here = endpoint && (endpoint->host == "localhost" || endpoint->host.starts_with("127.") || endpoint->host.ends_with(".localhost"));
  if (endpoint && (endpoint->tls || is_here)) return {};
  return Err(invalid(parameter, "Must be a valid HTTPS URL."));
}

Json shown_auth(const Json& auth) {
  Json out = auth;
  for (const auto& [block, secret] : {std::pair{"BasicAuthParameters", "Password"}, {"ApiKeyAuthParameters", "ApiKeyValue"}})
    if (Json* found = out.find(block)) found->erase(secret);
  Json* oauth = out.find("OAuthParameters");
  if (oauth)
    if (Json* client = oauth->find("ClientParameters")) client->erase("ClientSecret");
  for (Json* parameters : {oauth ? oauth->find("OAuthHttpParameters") : nullptr, out.find("InvocationHttpParameters")}) {
    if (!parameters) continue;
    for (const char* kind : {"HeaderParameters", "QueryStringParameters", "BodyParameters"})
      if (Json* list = parameters->find(kind))
        for (Json& one : list->elements())
          if (one["IsValueSecret"].as_bool()) one.erase("Value");
  }
  return out;
}

}  // namespace reef::service::eventbridge
