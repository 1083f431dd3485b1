#include "wire/yaml.h"

#include <yaml.h>

#include <map>

#include "base/text.h"

namespace reef::wire {
namespace {

constexpr int kDepthMax = 256;
constexpr std::size_t kNodesMax = 500'000;  // what aliases may blow a document up to

std::size_t count_nodes(const Json& value) {
  std::size_t count = 1;
  for (const Json& element : value.as_array()) count += count_nodes(element);
  for (const auto& [name, member] : value.as_object()) count += count_nodes(member);
  return count;
}

bool all_digits(std::string_view text) { return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos; }

// https://yaml.org/type/ (YAML 1.1), for a plain scalar.
Json resolve(std::string_view text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return Json();
  for (const char* word : {"true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"})
    if (text == word) return true;
  for (const char* word : {"false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"})
    if (text == word) return false;
  std::string_view digits = text;
  const bool negative = digits.starts_with('-');
  if (negative || digits.starts_with('+')) digits.remove_prefix(1);
  if (all_digits(digits)) {
    if (digits.size() > 1 && digits[0] == '0') return text;  // account ids and the like
    return Json::number((negative ? "-" : "") + std::string(digits));
  }
  if (digits.starts_with("0x") && digits.size() > 2 && digits.size() <= 18) {
    std::uint64_t value = 0;
    const auto [end, problem] = std::from_chars(digits.data() + 2, digits.data() + digits.size(), value, 16);
    if (problem == std::errc() && end == digits.data() + digits.size()) return Json::number((negative ? "-" : "") + std::to_string(value));
  }
  if (digits.empty() || !((digits[0] >= '0' && digits[0] <= '9') || digits[0] == '.')) return text;
  const std::size_t point = digits.find_first_of(".eE");
  if (point == std::string_view::npos) return text;
  if (digits.find_first_not_of("0123456789.eE+-") != std::string_view::npos || digits == ".") return text;
  if (digits[0] == '0' && digits.size() > 1 && digits[1] >= '0' && digits[1] <= '9') return text;
  const auto value = parse_double(digits);
  if (!value) return text;
  std::string lexeme = (negative ? "-" : "") + std::string(digits);
  if (JsonReader reader(lexeme); reader.read_number(digits) && reader.finish()) return Json::number(std::move(lexeme));
  return Json::number(format_double(negative ? -*value : *value));  // ".5", "1."
}

class Builder {
 public:
  Builder(std::string_view text, const YamlTag& on_tag) : on_tag_(on_tag) {
    yaml_parser_initialize(&parser_);
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()), text.size());
  }
  ~Builder() {
    drop();
    yaml_parser_delete(&parser_);
  }

  Result<Json, YamlError> run() {
    Json out;
    if (!next() || event_.type != YAML_STREAM_START_EVENT || !next()) return Err(error_);
    if (event_.type == YAML_STREAM_END_EVENT) return out;
    if (!next() || !node(out, 0) || !next()) return Err(error_);  // document start, root, document end
    if (event_.type != YAML_DOCUMENT_END_EVENT || !next()) return Err(error_);
    if (event_.type != YAML_STREAM_END_EVENT) return fail("more than one document"), Err(error_);
    return out;
  }

 private:
  void drop() {
    if (has_event_) yaml_event_delete(&event_);
    has_event_ = false;
  }
  bool next() {
    drop();
    if (!yaml_parser_parse(&parser_, &event_)) {
      error_ = {parser_.problem ? parser_.problem : "malformed", parser_.problem_mark.line + 1, parser_.problem_mark.column + 1};
      return false;
    }
    return has_event_ = true;
  }
  bool fail(std::string message) {
    error_ = {std::move(message), event_.start_mark.line + 1, event_.start_mark.column + 1};
    return false;
  }
  static std::string text_of(const unsigned char* text) { return text ? reinterpret_cast<const char*>(text) : ""; }

  // The value that the current event starts; ends on its last event.
  bool node(Json& out, int depth) {
    if (depth > kDepthMax) return fail("nested too deeply");
    if (++nodes_ > kNodesMax) return fail("too many nodes");
    std::string anchor, tag;
    const yaml_mark_t start = event_.start_mark;
    switch (event_.type) {
      case YAML_ALIAS_EVENT: {
        const auto found = anchors_.find(text_of(event_.data.alias.anchor));
        if (found == anchors_.end()) return fail("unknown alias");
        nodes_ += found->second.nodes;
        if (nodes_ > kNodesMax) return fail("aliases make the document too large");
        out = found->second.value;
        return true;
      }
      case YAML_SCALAR_EVENT: {
        anchor = text_of(event_.data.scalar.anchor), tag = text_of(event_.data.scalar.tag);
        const std::string_view text(reinterpret_cast<const char*>(event_.data.scalar.value), event_.data.scalar.length);
        const bool is_plain = event_.data.scalar.style == YAML_PLAIN_SCALAR_STYLE && tag.empty();
        out = is_plain ? resolve(text) : Json(text);
        break;
      }
      case YAML_SEQUENCE_START_EVENT:
        anchor = text_of(event_.data.sequence_start.anchor), tag = text_of(event_.data.sequence_start.tag);
        out = Json::array();
        for (;;) {
          if (!next()) return false;
          if (event_.type == YAML_SEQUENCE_END_EVENT) break;
          Json element;
          if (!node(element, depth + 1)) return false;
          out.push_back(std::move(element));
        }
        break;
      case YAML_MAPPING_START_EVENT:
        anchor = text_of(event_.data.mapping_start.anchor), tag = text_of(event_.data.mapping_start.tag);
        if (!mapping(out, depth)) return false;
        break;
      default: return fail("unexpected token");
    }
    if (!tag.empty() && !apply_tag(tag, out, start)) return false;
    if (!anchor.empty()) anchors_[anchor] = {out, count_nodes(out)};
    return true;
  }

  bool mapping(Json& out, int depth) {
    out = Json::object();
    for (;;) {
      if (!next()) return false;
      if (event_.type == YAML_MAPPING_END_EVENT) return true;
      if (event_.type != YAML_SCALAR_EVENT) return fail("mapping keys must be scalars");
      const std::string key(reinterpret_cast<const char*>(event_.data.scalar.value), event_.data.scalar.length);
      const bool is_merge = key == "<<" && event_.data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
      if (!next()) return false;
      Json value;
      if (!node(value, depth + 1)) return false;
      if (!is_merge) {
        out.set(key, std::move(value));   // the last of several wins, as with CloudFormation, and over what was merged in
        continue;
      }
      const Json::Array sources = value.is_array() ? value.as_array() : Json::Array{value};
      for (const Json& source : sources)
        for (const auto& [name, member] : source.as_object())
          if (!out.contains(name)) out.set(name, member);
    }
  }

  bool apply_tag(const std::string& tag, Json& value, const yaml_mark_t& start) {
    constexpr std::string_view kCore = "tag:yaml.org,2002:";
    std::string problem;
    if (tag == "!" ) return true;  // "non-specific": text as it is
    if (tag.starts_with(kCore)) {
      const std::string_view name = std::string_view(tag).substr(kCore.size());
      if (name == "int" || name == "float" || name == "bool" || name == "null") value = resolve(std::string(value.as_string()));
      else if (name != "str" && name != "map" && name != "seq") problem = "unsupported tag " + tag;
    } else {
      problem = on_tag_ ? on_tag_(tag, value) : "unknown tag " + tag;
    }
    if (problem.empty()) return true;
    error_ = {std::move(problem), start.line + 1, start.column + 1};
    return false;
  }

  struct Anchored {
    Json value;
    std::size_t nodes;
  };
  const YamlTag& on_tag_;
  yaml_parser_t parser_{};
  yaml_event_t event_{};
  bool has_event_ = false;
  std::map<std::string, Anchored> anchors_;
  std::size_t nodes_ = 0;
  YamlError error_;
};

}  // namespace

Result<Json, YamlError> parse_yaml(std::string_view text, const YamlTag& on_tag) { return Builder(text, on_tag).run(); }

}  // namespace reef::wire
