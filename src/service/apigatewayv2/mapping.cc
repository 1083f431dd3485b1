#include "service/apigatewayv2/mapping.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/text.h"
#include "service/apigatewayv2/api_store.h"
#include "wire/form.h"

namespace reef::service::apigatewayv2 {
namespace {

using wire::Json;

struct Change {
  enum class Verb { kRemove, kOverwrite, kAppend } verb;   // in the order in which they are carried out
  enum class Place { kHeader, kQuery, kPath, kStatus } place;
  std::string name;
};

std::optional<Change> parse_key(std::string_view key) {
  const auto colon = key.find(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string_view verb = key.substr(0, colon), rest = key.substr(colon + 1);
  Change out{};
  if (verb == "append") out.verb = Change::Verb::kAppend;
  else if (verb == "overwrite") out.verb = Change::Verb::kOverwrite;
  else if (verb == "remove") out.verb = Change::Verb::kRemove;
  else return std::nullopt;
  constexpr std::string_view kHeader = "header.", kQuery = "querystring.";
  if (rest.starts_with(kHeader) && rest.size() > kHeader.size()) out.place = Change::Place::kHeader, out.name = to_lower(rest.substr(kHeader.size()));
  else if (rest.starts_with(kQuery) && rest.size() > kQuery.size()) out.place = Change::Place::kQuery, out.name = std::string(rest.substr(kQuery.size()));
  else if (rest == "path" && verb == "overwrite") out.place = Change::Place::kPath;
  else if (rest == "statuscode" && verb == "overwrite") out.place = Change::Place::kStatus;
  else return std::nullopt;
  return out;
}

// Headers that API Gateway keeps for itself.
bool is_reserved(std::string_view name) {
  static constexpr std::array<std::string_view, 14> kNames{"authorization", "connection", "expect", "host", "keep-alive", "max-forwards", "proxy-authenticate", "server",
                                                           "te", "trailer", "transfer-encoding", "upgrade", "via", "www-authenticate"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end() || name.starts_with("access-control-") || name.starts_with("apigw-") || name.starts_with("content-") ||
         name.starts_with("x-amz-") || name.starts_with("x-amzn-") || name.starts_with("x-forwarded-");
}

// A member of a JSON text by "a.b[0]"; texts as they are, everything else as JSON.
std::optional<std::string> select(std::string_view body, std::string_view path) {
  const auto json = Json::parse(body);
  if (!json) return std::nullopt;
  const Json* at = &*json;
  while (!path.empty()) {
    if (path[0] == '[') {
      const auto close = path.find(']');
      const auto index = close == std::string_view::npos ? std::nullopt : parse_int<std::size_t>(path.substr(1, close - 1));
      if (!index || !at->is_array() || *index >= at->size()) return std::nullopt;
      at = &at->as_array()[*index];
      path.remove_prefix(close + 1);
      continue;
    }
    if (path[0] == '.') path.remove_prefix(1);
    const std::string_view name = path.substr(0, path.find_first_of(".["));
    if (name.empty()) return std::nullopt;
    at = at->find(name);
    if (!at) return std::nullopt;
    path.remove_prefix(name.size());
  }
  return at->is_string() ? at->as_string() : at->dump();
}

std::optional<std::string> body_value(std::string_view rest, std::string_view body) {
  if (rest.empty()) return std::string(body);
  return rest[0] == '.' || rest[0] == '[' ? select(body, rest) : std::nullopt;
}

std::optional<std::string> header_of(const http::Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers)
    if (equals_ignoring_case(key, name)) return value;
  return std::nullopt;
}

std::optional<std::string> request_value(std::string_view name, const MappingValues& values) {
  constexpr std::string_view kHeader = "header.", kQuery = "querystring.", kPath = "path.", kBody = "body";
  const http::Request& request = *values.request;
  if (name.starts_with(kHeader)) {
    const std::string header = to_lower(name.substr(kHeader.size()));
    return request.has_header(header) ? std::optional<std::string>(request.header(header)) : std::nullopt;
  }
  if (name.starts_with(kQuery)) {
    const wire::Form form(request.query);
    const std::string_view key = name.substr(kQuery.size());
    return form.find(key) ? std::optional<std::string>(form.value(key)) : std::nullopt;
  }
  if (name == "path") return values.path;
  if (name.starts_with(kPath)) {
    for (const auto& [key, value] : values.parameters)
      if (key == name.substr(kPath.size())) return value;
    return std::nullopt;
  }
  if (name.starts_with(kBody)) return body_value(name.substr(kBody.size()), values.request_body);
  return std::nullopt;
}

// Without the dollar: "request.header.x".
std::optional<std::string> variable(std::string_view name, const MappingValues& values) {
  constexpr std::string_view kRequest = "request.", kResponse = "response.", kContext = "context.", kStage = "stageVariables.";
  if (name.starts_with(kRequest) && values.request) return request_value(name.substr(kRequest.size()), values);
  if (name.starts_with(kResponse) && values.response) {
    const std::string_view rest = name.substr(kResponse.size());
    if (rest.starts_with("header.")) return header_of(*values.response, rest.substr(7));
    if (rest.starts_with("body")) return body_value(rest.substr(4), values.response_body);
    return std::nullopt;
  }
  if (name.starts_with(kContext) && values.context) {
    std::string out = values.context->value(name.substr(kContext.size()));
    return out.empty() ? std::nullopt : std::optional<std::string>(std::move(out));
  }
  if (name.starts_with(kStage) && values.stage_variables)
    if (const auto found = values.stage_variables->find(name.substr(kStage.size())); found != values.stage_variables->end()) return found->second;
  return std::nullopt;
}

// The changes with their values, in the order in which they are made. What is not there changes nothing.
std::vector<std::pair<Change, std::string>> changes_of(const ParameterMap& parameters, const MappingValues& values) {
  std::vector<std::pair<Change, std::string>> out;
  for (const auto& [key, expression] : parameters) {
    auto change = parse_key(key);
    if (!change) continue;
    auto value = change->verb == Change::Verb::kRemove ? std::optional<std::string>("") : map_value(expression, values);
    if (value) out.emplace_back(*std::move(change), *std::move(value));
  }
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.first.verb < b.first.verb; });
  return out;
}

std::string without(std::string_view query, std::string_view name) {
  std::string out;
  for (const std::string_view part : split(query, '&'))
    if (!part.empty() && percent_decode(part.substr(0, part.find('='))) != name) out += (out.empty() ? "" : "&") + std::string(part);
  return out;
}

// No value may end a line and begin a header of its own.
std::string one_line(std::string value) {
  std::erase_if(value, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
  return value;
}

}  // namespace

std::optional<std::string> map_value(std::string_view expression, const MappingValues& values) {
  if (expression.starts_with('$') && !expression.starts_with("${")) return variable(expression.substr(1), values);
  std::string out;
  while (!expression.empty()) {
    const auto open = expression.find("${");
    const auto close = open == std::string_view::npos ? open : expression.find('}', open);
    if (close == std::string_view::npos) break;
    out += expression.substr(0, open);
    out += variable(expression.substr(open + 2, close - open - 2), values).value_or("");
    expression.remove_prefix(close + 1);
  }
  return out + std::string(expression);
}

bool needs_body(const ParameterMap& parameters, std::string_view of) {
  const std::string wanted = std::string(of) + ".body";
  return std::ranges::any_of(parameters, [&](const auto& one) { return one.second.find("$" + wanted) != std::string::npos || one.second.find("${" + wanted) != std::string::npos; });
}

aws::Reply<void> check_request_parameters(const ParameterMap& parameters) {
  for (const auto& [key, expression] : parameters) {
    const auto change = parse_key(key);
    if (!change || change->place == Change::Place::kStatus) return Err(bad_request(fmt::format("Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression specified: {}]", key)));
    if (change->place == Change::Place::kHeader && is_reserved(change->name)) return Err(bad_request(fmt::format("Operations on header {} are restricted", change->name)));
    if (expression.find("$response.") != std::string::npos) return Err(bad_request(fmt::format("Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression specified: {}]", expression)));
  }
  return {};
}

aws::Reply<void> check_response_parameters(const std::map<std::string, ParameterMap, std::less<>>& parameters) {
  for (const auto& [status, changes] : parameters) {
    const auto number = parse_int<int>(status);
    if (!number || *number < 200 || *number > 599) return Err(bad_request(fmt::format("Invalid status code {}: it must be from 200 to 599", status)));
    for (const auto& [key, expression] : changes) {
      const auto change = parse_key(key);
      if (!change || change->place == Change::Place::kQuery || change->place == Change::Place::kPath) return Err(bad_request(fmt::format("Invalid mapping expression specified: {}", key)));
      if (change->place == Change::Place::kHeader && is_reserved(change->name)) return Err(bad_request(fmt::format("Operations on header {} are restricted", change->name)));
      if (expression.find("$request.") != std::string::npos) return Err(bad_request(fmt::format("Invalid mapping expression specified: {}", expression)));
    }
  }
  return {};
}

Rewritten rewrite_request(const ParameterMap& parameters, const MappingValues& values) {
  Rewritten out{.request = *values.request, .path = {}, .texts = {}};
  std::string query(out.request.query);
  for (auto& [change, value] : changes_of(parameters, values)) {
    const bool replaces = change.verb != Change::Verb::kAppend, sets = change.verb != Change::Verb::kRemove;
    if (change.place == Change::Place::kPath) {
      out.path = value.starts_with('/') ? value : "/" + value;
    } else if (change.place == Change::Place::kQuery) {
      if (replaces) query = without(query, change.name);
      if (sets) query += (query.empty() ? "" : "&") + percent_encode(change.name) + "=" + percent_encode(value);
    } else {
      if (replaces) std::erase_if(out.request.headers, [&, &wanted = change.name](const auto& header) { return header.name == wanted; });
      if (!sets) continue;
      const std::string_view name = out.texts.emplace_back(change.name);
      out.request.headers.push_back({name, out.texts.emplace_back(one_line(value))});
    }
  }
  out.request.query = out.texts.emplace_back(std::move(query));
  return out;
}

void rewrite_response(const ParameterMap& parameters, const MappingValues& values, http::Response& response) {
  for (auto& [change, value] : changes_of(parameters, values)) {
    if (change.place == Change::Place::kStatus) {
      if (const auto status = parse_int<int>(value); status && *status >= 200 && *status <= 599) response.status = *status;
      continue;
    }
    if (change.verb != Change::Verb::kAppend) std::erase_if(response.headers, [&, &wanted = change.name](const auto& header) { return equals_ignoring_case(header.first, wanted); });
    if (change.verb != Change::Verb::kRemove) response.headers.emplace_back(change.name, one_line(value));
  }
}

}  // namespace reef::service::apigatewayv2
