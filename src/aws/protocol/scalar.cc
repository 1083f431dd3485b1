#include "aws/protocol/scalar.h"

#include <cmath>

#include "base/encoding.h"
#include "base/text.h"

namespace reef::aws {

void append_epoch(std::string& out, Time time, bool exact) {
  const std::int64_t micros = to_micros(time);
  std::int64_t seconds = micros / 1'000'000, rest = micros % 1'000'000;
  if (micros < 0) {
    out += '-';
    seconds = -seconds, rest = -rest;
  }
  out += std::to_string(seconds);
  const bool in_micros = exact && rest % 1000 != 0;
  if (!in_micros) rest /= 1000;
  if (rest == 0) return;
  const std::string digits = std::to_string(rest);
  out += '.';
  out.append((in_micros ? 6 : 3) - digits.size(), '0');
  out += digits;
}

std::optional<Time> parse_epoch(std::string_view text) {
  const auto seconds = parse_double(text);
  if (!seconds || !std::isfinite(*seconds) || std::fabs(*seconds) > 9e12) return std::nullopt;
  return from_micros(std::llround(*seconds * 1e6));
}

std::optional<Time> parse_timestamp(TimestampFormat format, std::string_view text) {
  switch (format) {
    case TimestampFormat::kIso8601:
      if (const auto time = parse_iso8601(text)) return time;
      break;
    case TimestampFormat::kHttpDate:
      if (const auto time = parse_http_date(text)) return time;
      break;
    case TimestampFormat::kEpochSeconds:
      if (const auto time = parse_epoch(text)) return time;
      break;
    case TimestampFormat::kDefault: break;
  }
  // Clients are not of one mind about formats; each of them is unambiguous.
  if (const auto time = parse_iso8601(text)) return time;
  if (const auto time = parse_http_date(text)) return time;
  return parse_epoch(text);
}

bool scalar_from_text(const Shape& shape, TimestampFormat format, std::string_view text, void* value) {
  switch (shape.kind) {
    case Kind::kString:
      // What is stored is JSON: text that is no text would be lost there.
      if (!is_valid_utf8(text)) return false;
      as<std::string>(value).assign(text);
      return true;
    case Kind::kInteger: {
      const auto number = parse_int<std::int32_t>(text);
      if (number) as<std::int32_t>(value) = *number;
      return number.has_value();
    }
    case Kind::kLong: {
      const auto number = parse_int<std::int64_t>(text);
      if (number) as<std::int64_t>(value) = *number;
      return number.has_value();
    }
    case Kind::kDouble: {
      if (text == "NaN") return as<double>(value) = NAN, true;
      if (text == "Infinity") return as<double>(value) = INFINITY, true;
      if (text == "-Infinity") return as<double>(value) = -INFINITY, true;
      const auto number = parse_double(text);
      if (number) as<double>(value) = *number;
      return number.has_value();
    }
    case Kind::kBoolean:
      as<bool>(value) = equals_ignoring_case(text, "true");
      return as<bool>(value) || equals_ignoring_case(text, "false");
    case Kind::kTimestamp: {
      const auto time = parse_timestamp(format, text);
      if (time) as<Time>(value) = *time;
      return time.has_value();
    }
    case Kind::kBlob: {
      auto bytes = base64_decode(text);
      if (bytes) as<std::string>(value) = *std::move(bytes);
      return bytes.has_value();
    }
    case Kind::kStructure: case Kind::kUnion: case Kind::kList: case Kind::kMap: case Kind::kDocument: case Kind::kNative:
      return false;
  }
  return false;
}

void append_scalar(std::string& out, const Shape& shape, TimestampFormat format, const void* value) {
  switch (shape.kind) {
    case Kind::kString: out += as<std::string>(value); break;
    case Kind::kInteger: out += std::to_string(as<std::int32_t>(value)); break;
    case Kind::kLong: out += std::to_string(as<std::int64_t>(value)); break;
    case Kind::kDouble: {
      const double number = as<double>(value);
      if (std::isfinite(number)) out += format_double(number);
      else out += std::isnan(number) ? "NaN" : number < 0 ? "-Infinity" : "Infinity";
      break;
    }
    case Kind::kBoolean: out += as<bool>(value) ? "true" : "false"; break;
    case Kind::kTimestamp: {
      const Time time = as<Time>(value);
      if (format == TimestampFormat::kEpochSeconds) append_epoch(out, time, false);
      else if (format == TimestampFormat::kHttpDate) out += format_http_date(time);
      else out += format_iso8601(time, to_micros(time) / 1000 % 1000 != 0);
      break;
    }
    case Kind::kBlob: base64_append(out, as<std::string>(value)); break;
    case Kind::kStructure: case Kind::kUnion: case Kind::kList: case Kind::kMap: case Kind::kDocument: case Kind::kNative:
      break;
  }
}

std::string member_path_name(std::string_view name) {
  std::string out(name);
  if (!out.empty() && out[0] >= 'A' && out[0] <= 'Z') out[0] = static_cast<char>(out[0] + 32);
  return out;
}

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::kString: return "String";
    case Kind::kInteger: return "Integer";
    case Kind::kLong: return "Long";
    case Kind::kDouble: return "Double";
    case Kind::kBoolean: return "Boolean";
    case Kind::kTimestamp: return "Timestamp";
    case Kind::kBlob: return "Blob";
    case Kind::kList: return "List";
    case Kind::kMap: return "Map";
    case Kind::kStructure: case Kind::kUnion: return "Structure";
    case Kind::kDocument: return "Document";
    case Kind::kNative: return "Value";
  }
  return "";
}

}  // namespace reef::aws
