#include "aws/protocol/rest.h"

#include <algorithm>

#include "aws/protocol/scalar.h"
#include "base/encoding.h"
#include "base/text.h"
#include "wire/form.h"

namespace reef::aws::rest {
namespace {

TimestampFormat default_format(Location location) {
  return location == Location::kHeader || location == Location::kHeaders ? TimestampFormat::kHttpDate : TimestampFormat::kIso8601;
}

// Splits a header's list. HTTP dates contain a comma of their own; quoted elements may contain anything.
std::vector<std::string> split_header_list(std::string_view text, bool of_http_dates) {
  std::vector<std::string> out;
  std::size_t i = 0;
  while (i <= text.size()) {
    std::string element;
    while (i < text.size() && text[i] == ' ') ++i;
    if (i < text.size() && text[i] == '"') {
      for (++i; i < text.size() && text[i] != '"'; ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) ++i;
        element += text[i];
      }
      i = std::min(text.find(',', i), text.size());
    } else {
      std::size_t end = std::min(text.find(',', i), text.size());
      if (of_http_dates && end < text.size()) end = std::min(text.find(',', end + 1), text.size());
      element = std::string(trim(text.substr(i, end - i)));
      i = end;
    }
    out.push_back(std::move(element));
    ++i;
  }
  return out;
}

bool read_header(const Member& member, std::string_view text, void* input) {
  const Shape& shape = *member.shape;
  void* value = make_value(member, input);
  if (shape.kind == Kind::kList) {
    const TimestampFormat format = timestamp_format(nullptr, *shape.element, TimestampFormat::kHttpDate);
    const bool dates = shape.element->kind == Kind::kTimestamp && format == TimestampFormat::kHttpDate;
    for (const std::string& element : split_header_list(text, dates))
      if (!scalar_from_text(*shape.element, format, element, shape.list.append(value))) return false;
    return true;
  }
  if (member.json_value) {
    auto decoded = base64_decode(text);
    if (decoded) as<std::string>(value) = *std::move(decoded);
    return decoded.has_value();
  }
  return scalar_from_text(shape, timestamp_format(&member, shape, TimestampFormat::kHttpDate), text, value);
}

bool read_prefixed_headers(const Member& member, const RequestParts& in) {
  const std::string_view prefix = member.wire_name;
  for (const http::HeaderView& header : in.request.headers) {
    if (header.name.size() < prefix.size() || !equals_ignoring_case(header.name.substr(0, prefix.size()), prefix)) continue;
    void* value = make_value(member, in.input);
    const std::string_view key = header.name.substr(prefix.size());
    if (!scalar_from_text(*member.shape->element, TimestampFormat::kHttpDate, trim(header.value),
                          member.shape->map.insert(value, key)))
      return false;
  }
  return true;
}

bool read_query(const Member& member, const wire::Form& query, const RequestParts& in, bool& present) {
  const Shape& shape = *member.shape;
  const TimestampFormat format = timestamp_format(&member, shape, TimestampFormat::kIso8601);
  if (shape.kind == Kind::kMap) {  // every parameter that no other member names
    for (const wire::FormField& field : query.fields()) {
      bool is_named = false;
      for (std::uint32_t i = 0; i < in.operation.input->member_count; ++i) {
        const Member& other = in.operation.input->members[i];
        is_named = is_named || (other.location == Location::kQuery && other.shape->kind != Kind::kMap && field.key == other.wire_name);
      }
      if (is_named) continue;
      if (!is_valid_utf8(field.key)) return false;
      present = true;
      void* slot = shape.map.insert(make_value(member, in.input), field.key);
      const Shape& element = *shape.element;
      if (element.kind == Kind::kList) slot = element.list.append(slot);
      if (!scalar_from_text(element.kind == Kind::kList ? *element.element : element, format, field.value, slot)) return false;
    }
    return true;
  }
  const wire::FormField* found = query.find(member.wire_name);
  if (!found) return true;
  present = true;
  if (shape.kind == Kind::kList) {
    void* list = make_value(member, in.input);
    for (const wire::FormField& field : query.fields())
      if (field.key == member.wire_name &&
          !scalar_from_text(*shape.element, timestamp_format(nullptr, *shape.element, TimestampFormat::kIso8601),
                            field.value, shape.list.append(list)))
        return false;
    return true;
  }
  if (found->value.empty() && shape.kind != Kind::kString) return true;
  return scalar_from_text(shape, format, found->value, make_value(member, in.input));
}

void append_header_value(std::string& out, const Member& member, const Shape& shape, const void* value) {
  if (shape.kind == Kind::kList) {
    for (std::size_t i = 0; i < shape.list.size(value); ++i) {
      if (i != 0) out += ", ";
      std::string text;
      append_scalar(text, *shape.element, timestamp_format(nullptr, *shape.element, TimestampFormat::kHttpDate),
                    shape.list.at(value, i));
      const bool needs_quotes = shape.element->kind == Kind::kString && text.find_first_of(",\"") != std::string::npos;
      out += needs_quotes ? '"' + replace_all(replace_all(text, "\\", "\\\\"), "\"", "\\\"") + '"' : text;
    }
  } else if (member.json_value) {
    base64_append(out, as<std::string>(value));
  } else {
    append_scalar(out, shape, timestamp_format(&member, shape, default_format(member.location)), value);
  }
}

}  // namespace

Reply<void> decode_bindings(const RequestParts& in, Error (*fail)(const Member&, std::string_view)) {
  const Shape& input = *in.operation.input;
  std::optional<wire::Form> query;
  for (std::uint32_t i = 0; i < input.member_count; ++i) {
    const Member& member = input.members[i];
    bool present = true;
    switch (member.location) {
      case Location::kBody: continue;
      case Location::kUri: {
        const std::string* text = in.labels.find(member.wire_name);
        present = text != nullptr;
        if (text && !scalar_from_text(*member.shape, timestamp_format(&member, *member.shape, TimestampFormat::kIso8601),
                                      *text, make_value(member, in.input)))
          return Err(fail(member, *text));
        break;
      }
      case Location::kQuery: {
        if (!query) query.emplace(in.request.query);
        present = false;
        if (!read_query(member, *query, in, present)) return Err(fail(member, query->value(member.wire_name)));
        break;
      }
      case Location::kHeader: {
        present = false;
        for (const http::HeaderView& header : in.request.headers) {
          if (!equals_ignoring_case(header.name, member.wire_name)) continue;
          present = true;
          const std::string_view text = trim(header.value);
          if (text.empty() && member.shape->kind != Kind::kString) break;
          if (!read_header(member, text, in.input)) return Err(fail(member, text));
          break;
        }
        break;
      }
      case Location::kHeaders:
        if (!read_prefixed_headers(member, in)) return Err(fail(member, ""));
        break;
      case Location::kStatusCode: continue;
    }
    if (!present && member.required && in.missing) in.missing->push_back(member_path_name(member.name));
  }
  return {};
}

const Member* payload_member(const Shape& shape) {
  for (std::uint32_t i = 0; i < shape.member_count; ++i)
    if (shape.members[i].is_payload) return &shape.members[i];
  return nullptr;
}

bool has_body_members(const Shape& shape) {
  for (std::uint32_t i = 0; i < shape.member_count; ++i)
    if (shape.members[i].location == Location::kBody && !shape.members[i].is_payload) return true;
  return false;
}

bool read_raw_payload(const Member& member, std::string_view body, void* input) {
  if (member.streaming || body.empty()) return true;
  if (member.shape->kind == Kind::kString && !is_valid_utf8(body)) return false;
  as<std::string>(make_value(member, input)).assign(body);
  return true;
}

bool encode_bindings(const ReplyParts& out) {
  const Shape& shape = *out.operation.output;
  struct Prefixed {
    const Member& member;
    http::Response& response;
  };
  for (std::uint32_t i = 0; i < shape.member_count; ++i) {
    const Member& member = shape.members[i];
    const void* value = value_of(member, out.output);
    if (!value) continue;
    switch (member.location) {
      case Location::kStatusCode:
        if (as<std::int32_t>(value) != 0) out.response.status = as<std::int32_t>(value);
        break;
      case Location::kHeader: {
        std::string text;
        append_header_value(text, member, *member.shape, value);
        if (!text.empty()) out.response.set(member.wire_name, text);
        break;
      }
      case Location::kHeaders: {
        Prefixed context{member, out.response};
        member.shape->map.each(value, &context, [](void* at, const std::string& key, const void* element) {
          auto& [bound, response] = *static_cast<Prefixed*>(at);
          std::string text;
          append_header_value(text, bound, *bound.shape->element, element);
          response.set(bound.wire_name + key, text);
        });
        break;
      }
      case Location::kBody: case Location::kQuery: case Location::kUri: break;
    }
  }
  if (shape.member_count == 0) return true;
  const Member* payload = payload_member(shape);
  if (!payload) return false;
  const Kind kind = payload->shape->kind;
  const void* value = value_of(*payload, out.output);
  if (kind == Kind::kBlob || kind == Kind::kString) {
    if (value && !out.response.stream) out.response.body = as<std::string>(value);
    if (value && !out.response.find("Content-Type"))
      out.response.set("Content-Type", kind == Kind::kBlob ? "application/octet-stream" : "text/plain");
    return true;
  }
  return payload->shape->event_stream || !value;  // the handler sends events itself
}

void encode_error_headers(const ErrorParts& out) {
  if (!out.shape || !out.shape->shape) return;
  const Shape& shape = *out.shape->shape;
  for (std::uint32_t i = 0; i < shape.member_count; ++i) {
    const Member& member = shape.members[i];
    if (member.location != Location::kHeader) continue;
    if (const auto text = out.error.fields[member.name].scalar_text()) out.response.set(member.wire_name, *text);
  }
}

}  // namespace reef::aws::rest
