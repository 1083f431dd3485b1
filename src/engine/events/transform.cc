#include "engine/events/transform.h"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "base/text.h"

namespace reef::events {
namespace {

using wire::Json;

struct PathStep {
  std::string name;
  std::optional<std::size_t> index;
  bool is_every = false;
};

std::optional<std::vector<PathStep>> parse_path(std::string_view path) {
  if (!path.starts_with('$')) return std::nullopt;
  std::vector<PathStep> steps;
  std::size_t at = 1;
  while (at < path.size()) {
    if (path[at] == '.') {
      const auto end = std::min(path.find_first_of(".[", at + 1), path.size());
      if (end == at + 1) return std::nullopt;
      const std::string_view name = path.substr(at + 1, end - at - 1);
      steps.push_back({.name = std::string(name), .index = {}, .is_every = name == "*"});
      at = end;
    } else if (path[at] == '[') {
      const auto end = path.find(']', at);
      if (end == std::string_view::npos) return std::nullopt;
      const std::string_view inner = path.substr(at + 1, end - at - 1);
      if (inner == "*") {
        steps.push_back({.name = {}, .index = {}, .is_every = true});
      } else if (inner.size() >= 2 && (inner.front() == '\'' || inner.front() == '"') && inner.back() == inner.front()) {
        steps.push_back({.name = std::string(inner.substr(1, inner.size() - 2)), .index = {}});
      } else if (const auto index = parse_int<std::size_t>(inner)) {
        steps.push_back({.name = {}, .index = *index});
      } else {
        return std::nullopt;
      }
      at = end + 1;
    } else {
      return std::nullopt;
    }
  }
  return steps;
}

void collect(const Json& value, const std::vector<PathStep>& steps, std::size_t at, std::vector<const Json*>& out) {
  if (at == steps.size()) return out.push_back(&value);
  const PathStep& step = steps[at];
  if (step.is_every) {
    for (const Json& element : value.as_array()) collect(element, steps, at + 1, out);
    for (const auto& [name, member] : value.as_object()) collect(member, steps, at + 1, out);
  } else if (step.index) {
    if (value.is_array() && *step.index < value.size()) collect(value.at(*step.index), steps, at + 1, out);
  } else if (const Json* member = value.find(step.name)) {
    collect(*member, steps, at + 1, out);
  }
}

// Calls `place(name, inside a text)` for each <name>, `copy(text)` for the rest.
void scan(std::string_view text, const std::function<void(std::string_view, bool)>& place, const std::function<void(std::string_view)>& copy) {
  bool is_quoted = false;
  std::size_t copied = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      is_quoted = !is_quoted;
    } else if (text[i] == '<') {
      const auto end = text.find('>', i);
      if (end == std::string_view::npos) break;
      const std::string_view name = text.substr(i + 1, end - i - 1);
      // What is no name is text: "a < b".
      if (name.empty() || name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") != std::string_view::npos) continue;
      copy(text.substr(copied, i - copied));
      place(name, is_quoted);
      copied = end + 1;
      i = end;
    }
  }
  copy(text.substr(std::min(copied, text.size())));
}

// As a part of a text between quotes.
std::string inside_text(const Json& value) {
  std::string quoted;
  wire::append_json_string(quoted, value.is_string() ? value.as_string() : value.dump());
  return quoted.substr(1, quoted.size() - 2);
}

constexpr std::string_view kPredefined[] = {"aws.events.rule-arn", "aws.events.rule-name", "aws.events.event.ingestion-time", "aws.events.event", "aws.events.event.json"};

}  // namespace

std::optional<Json> find_path(const Json& event, std::string_view path) {
  const auto steps = parse_path(path);
  if (!steps) return std::nullopt;
  std::vector<const Json*> found;
  collect(event, *steps, 0, found);
  bool is_every = false;
  for (const PathStep& step : *steps) is_every = is_every || step.is_every;
  if (is_every) {
    Json out = Json::array();
    for (const Json* one : found) out.push_back(*one);
    return out;
  }
  if (found.empty()) return std::nullopt;
  return *found.front();
}

std::string check_path(std::string_view path) { return parse_path(path) ? "" : "Invalid JSON path"; }

std::string check_transform(const Transform& transform) {
  for (const auto& [name, path] : transform.paths) {
    if (name.starts_with("AWS") || name.starts_with("aws.")) return fmt::format("Invalid InputPathsMap key {}: keys starting with AWS are reserved.", name);
    if (!parse_path(path)) return fmt::format("Invalid InputPathsMap path for {}.", name);
  }
  std::string problem, filled;
  scan(transform.text,
       [&](std::string_view name, bool is_quoted) {
         const bool is_known = transform.paths.contains(name) || std::find(std::begin(kPredefined), std::end(kPredefined), name) != std::end(kPredefined);
         if (!is_known && problem.empty()) problem = fmt::format("InputTemplate contains invalid placeholder {}.", name);
         filled += is_quoted ? "x" : "\"x\"";
       },
       [&](std::string_view rest) { filled += rest; });
  if (!problem.empty()) return problem;
  const std::string_view trimmed = trim(transform.text);
  if (trimmed.starts_with('{') && !Json::parse(filled)) return "Invalid InputTemplate";
  return "";
}

std::string apply_transform(const Transform& transform, const Json& event, const TransformContext& context) {
  std::map<std::string, Json, std::less<>> values;
  for (const auto& [name, path] : transform.paths)
    if (auto found = find_path(event, path)) values.emplace(name, *std::move(found));
  const auto value_of = [&](std::string_view name) -> Json {
    if (const auto found = values.find(name); found != values.end()) return found->second;
    if (name == "aws.events.rule-arn") return context.rule_arn;
    if (name == "aws.events.rule-name") return context.rule_name;
    if (name == "aws.events.event.ingestion-time") return format_iso8601(context.ingestion_time);
    if (name == "aws.events.event.json") return event;
    if (name == "aws.events.event") {
      Json without_detail = event;
      without_detail.erase("detail");
      return without_detail;
    }
    return "";  // AWS leaves nothing of what the event has not
  };
  const bool is_json = trim(transform.text).starts_with('{') || trim(transform.text).starts_with('[');
  std::string out;
  scan(transform.text,
       [&](std::string_view name, bool is_quoted) {
         const Json value = value_of(name);
         if (is_quoted) out += inside_text(value);
         else if (is_json || !value.is_string()) value.append_to(out);
         else out += value.as_string();
       },
       [&](std::string_view rest) { out += rest; });
  return out;
}

}  // namespace reef::events
