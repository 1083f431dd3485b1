// Record values between the text of zone files and the wire.
#include <arpa/inet.h>

#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/text.h"
#include "wire/dns.h"

namespace reef::wire::dns {
namespace {

constexpr std::pair<std::string_view, Type> kTypes[] = {
    {"A", kA}, {"NS", kNs}, {"CNAME", kCname}, {"SOA", kSoa}, {"PTR", kPtr}, {"MX", kMx}, {"TXT", kTxt}, {"AAAA", kAaaa}, {"SRV", kSrv},
    {"NAPTR", kNaptr}, {"DS", kDs}, {"SSHFP", kSshfp}, {"TLSA", kTlsa}, {"SVCB", kSvcb}, {"HTTPS", kHttps}, {"SPF", kSpf}, {"CAA", kCaa}};

// https://www.rfc-editor.org/rfc/rfc8659#section-4.1
bool is_caa_tag(std::string_view text) {
  for (const char c : text)
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'))) return false;
  return !text.empty();
}

// Splits at blanks, quoted strings kept whole (their quotes too).
std::vector<std::string_view> tokens_of(std::string_view text) {
  std::vector<std::string_view> out;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == ' ' || text[at] == '\t') {
      ++at;
      continue;
    }
    const std::size_t began = at;
    bool quoted = false;
    for (; at < text.size() && (quoted || (text[at] != ' ' && text[at] != '\t')); ++at) {
      if (text[at] == '\\' && at + 1 < text.size()) ++at;
      else if (text[at] == '"') quoted = !quoted;
    }
    out.push_back(text.substr(began, at - began));
  }
  return out;
}

bool put_number(std::string& out, std::string_view text, int bytes) {
  const auto number = parse_int<std::int64_t>(text);
  if (!number || *number < 0 || *number >= std::int64_t{1} << (8 * bytes)) return false;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) out += static_cast<char>(*number >> shift);
  return true;
}

bool put_name(std::string& out, std::string_view text) {
  const auto name = name_from_text(text);
  if (name) out += *name;
  return name.has_value();
}

// A quoted string's bytes: \" and \\ and \DDD (octal, as Route 53 has it).
std::optional<std::string> unquote(std::string_view token) {
  if (token.size() < 2 || token.front() != '"' || token.back() != '"') return std::nullopt;
  token = token.substr(1, token.size() - 2);
  std::string out;
  for (std::size_t i = 0; i < token.size(); ++i) {
    if (token[i] == '"') return std::nullopt;
    if (token[i] != '\\') {
      out += token[i];
    } else if (i + 3 < token.size() && token[i + 1] >= '0' && token[i + 1] <= '3' && token[i + 2] >= '0' && token[i + 2] <= '7' && token[i + 3] >= '0' && token[i + 3] <= '7') {
      out += static_cast<char>((token[i + 1] - '0') * 64 + (token[i + 2] - '0') * 8 + (token[i + 3] - '0'));
      i += 3;
    } else if (i + 1 < token.size()) {
      out += token[++i];
    } else {
      return std::nullopt;
    }
  }
  return out;
}

bool put_string(std::string& out, std::string_view token) {
  const auto text = token.starts_with('"') ? unquote(token) : std::optional<std::string>(token);
  if (!text || text->size() > 255) return false;
  out += static_cast<char>(text->size());
  out += *text;
  return true;
}

std::optional<std::string> encode_text(std::string_view text, std::string_view type, ValueError& error) {
  std::string out;
  for (const std::string_view token : tokens_of(text)) {
    if (!token.starts_with('"') || !token.ends_with('"') || token.size() < 2) {
      error.message = fmt::format("InvalidCharacterString (Value should be enclosed in quotation marks) encountered with '{}'", text);
      return std::nullopt;
    }
    if (!put_string(out, token)) {
      error.message = fmt::format("CharacterStringTooLong (Value is too long) encountered with '{}'", token);
      return std::nullopt;
    }
  }
  if (out.empty()) error.message = fmt::format("Invalid Resource Record: FATAL problem: {}RRDATAIllegal encountered with '{}'", type, text);
  if (out.empty()) return std::nullopt;
  return out;
}

// "alpn=\"h2,h3\" port=8443": RFC 9460.
bool put_service_parameters(std::string& out, std::span<const std::string_view> tokens) {
  static constexpr std::string_view kKeys[] = {"mandatory", "alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint"};
  std::vector<std::pair<int, std::string>> parameters;
  for (const std::string_view token : tokens) {
    const auto equals = token.find('=');
    const std::string_view key = token.substr(0, equals);
    std::string value(equals == std::string_view::npos ? std::string_view{} : token.substr(equals + 1));
    if (value.starts_with('"')) {
      const auto plain = unquote(value);
      if (!plain) return false;
      value = *plain;
    }
    int number = -1;
    for (int i = 0; i < 7; ++i)
      if (kKeys[i] == key) number = i;
    if (number < 0 && key.starts_with("key")) number = parse_int<int>(key.substr(3)).value_or(-1);
    if (number < 0 || number > 65535) return false;
    std::string data;
    switch (number) {
      case 0:
        for (const std::string_view name : split(value, ',')) {
          int found = -1;
          for (int i = 0; i < 7; ++i)
            if (kKeys[i] == name) found = i;
          if (found < 0) return false;
          put_number(data, std::to_string(found), 2);
        }
        break;
      case 1:
        for (const std::string_view protocol : split(value, ','))
          if (protocol.empty() || !put_string(data, protocol)) return false;
        break;
      case 2: break;
      case 3:
        if (!put_number(data, value, 2)) return false;
        break;
      case 4: case 6:
        for (const std::string_view address : split(value, ',')) {
          char raw[16];
          if (::inet_pton(number == 4 ? AF_INET : AF_INET6, std::string(address).c_str(), raw) != 1) return false;
          data.append(raw, number == 4 ? 4 : 16);
        }
        break;
      case 5: {
        const auto bytes = base64_decode(value);
        if (!bytes) return false;
        data = *bytes;
        break;
      }
      default: data = value;
    }
    parameters.emplace_back(number, std::move(data));
  }
  std::sort(parameters.begin(), parameters.end());
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (i > 0 && parameters[i].first == parameters[i - 1].first) return false;
    put_number(out, std::to_string(parameters[i].first), 2);
    put_number(out, std::to_string(parameters[i].second.size()), 2);
    out += parameters[i].second;
  }
  return true;
}

bool put_hex(std::string& out, std::span<const std::string_view> tokens) {
  std::string hex;
  for (const std::string_view token : tokens) hex += token;
  const auto bytes = hex_decode(to_lower(hex));
  if (!bytes || bytes->empty()) return false;
  out += *bytes;
  return true;
}

bool encode_fields(Type type, std::span<const std::string_view> part, std::string& out) {
  const std::size_t n = part.size();
  switch (type) {
    case kNs: case kCname: case kPtr: return n == 1 && put_name(out, part[0]);
    case kMx: return n == 2 && put_number(out, part[0], 2) && put_name(out, part[1]);
    case kSrv: return n == 4 && put_number(out, part[0], 2) && put_number(out, part[1], 2) && put_number(out, part[2], 2) && put_name(out, part[3]);
    case kSoa:
      return n == 7 && put_name(out, part[0]) && put_name(out, part[1]) && put_number(out, part[2], 4) && put_number(out, part[3], 4) &&
             put_number(out, part[4], 4) && put_number(out, part[5], 4) && put_number(out, part[6], 4);
    case kCaa: {
      if (n != 3 || !put_number(out, part[0], 1) || !is_caa_tag(part[1]) || !put_string(out, part[1])) return false;
      const auto value = unquote(part[2]);
      if (value) out += *value;
      return value.has_value();
    }
    case kNaptr:
      return n == 6 && put_number(out, part[0], 2) && put_number(out, part[1], 2) && put_string(out, part[2]) && put_string(out, part[3]) &&
             put_string(out, part[4]) && put_name(out, part[5]);
    case kDs: return n >= 4 && put_number(out, part[0], 2) && put_number(out, part[1], 1) && put_number(out, part[2], 1) && put_hex(out, part.subspan(3));
    case kTlsa: return n >= 4 && put_number(out, part[0], 1) && put_number(out, part[1], 1) && put_number(out, part[2], 1) && put_hex(out, part.subspan(3));
    case kSshfp: return n >= 3 && put_number(out, part[0], 1) && put_number(out, part[1], 1) && put_hex(out, part.subspan(2));
    case kSvcb: case kHttps: return n >= 2 && put_number(out, part[0], 2) && put_name(out, part[1]) && put_service_parameters(out, part.subspan(2));
    default: return false;
  }
}

std::string text_of_string(std::string_view bytes) {
  std::string out = "\"";
  for (const char c : bytes) {
    if (c == '"' || c == '\\') out += '\\', out += c;
    else if (c >= 32 && c < 127) out += c;
    else out += fmt::format("\\{:03o}", static_cast<unsigned char>(c));
  }
  return out + "\"";
}

}  // namespace

std::optional<Type> type_from_text(std::string_view text) {
  for (const auto& [name, type] : kTypes)
    if (name == text) return type;
  return std::nullopt;
}

std::string_view type_to_text(std::uint16_t type) {
  for (const auto& [name, one] : kTypes)
    if (one == type) return name;
  return {};
}

std::optional<std::string> encode_value(Type type, std::string_view text, ValueError& error) {
  std::string out;
  if (type == kA || type == kAaaa) {
    char raw[16];
    if (::inet_pton(type == kA ? AF_INET : AF_INET6, std::string(text).c_str(), raw) == 1) return std::string(raw, type == kA ? 4 : 16);
    error.message = type == kA ? fmt::format("Invalid Resource Record: 'FATAL problem: ARRDATAIllegalIPv4Address (Value is not a valid IPv4 address) encountered with '{}''", text)
                               : fmt::format("Invalid Resource Record: 'FATAL problem: AAAARRDATAIllegalIPv6Address (Value is not a valid IPv6 address) encountered with '{}''", text);
    return std::nullopt;
  }
  if (type == kTxt || type == kSpf) {
    auto value = encode_text(text, type_to_text(type), error);
    if (!value) error.message = "Invalid Resource Record: 'FATAL problem: " + error.message + "'";
    return value;
  }
  const auto parts = tokens_of(text);
  if (encode_fields(type, parts, out)) return out;
  switch (type) {
    case kMx:
      error.message = fmt::format("Invalid Resource Record: 'FATAL problem: MXRRDATANotTwoFields (MX record doesn't have 2 fields) encountered with '{}''", text);
      break;
    case kSrv:
      error.message = fmt::format("Invalid Resource Record: 'FATAL problem: SRVRRDATANotFourFields (SRV record doesn't have 4 fields) encountered with '{}''", text);
      break;
    case kCaa:
      error.message = fmt::format("Invalid Resource Record: 'FATAL problem: CAARRDATAIllegalFormat (Value is not in the form: flags tag \"value\") encountered with '{}''", text);
      break;
    case kNs: case kCname: case kPtr:
      error.message = fmt::format("Invalid Resource Record: 'FATAL problem: DomainLabelEmpty (Domain label is empty) encountered with '{}''", text);
      break;
    default:
      error.message = fmt::format("Invalid Resource Record: 'FATAL problem: {}RRDATAIllegalFormat (Value is not valid) encountered with '{}''", type_to_text(type), text);
  }
  return std::nullopt;
}

std::string decode_value(std::uint16_t type, std::string_view data) {
  const auto generic = [&] { return fmt::format("\\# {} {}", data.size(), hex_encode(data)); };
  // The name at `at`, which moves behind it; names in values are uncompressed.
  const auto name_at = [&](std::size_t& at) {
    const std::size_t began = at;
    while (at < data.size() && data[at] != 0) at += 1u + static_cast<unsigned char>(data[at]);
    at = std::min(at + 1, data.size());
    return name_to_text(data.substr(began, at - began));
  };
  std::size_t at = 0;
  switch (type) {
    case kA: case kAaaa: {
      char text[INET6_ADDRSTRLEN];
      if (data.size() != (type == kA ? 4u : 16u)) return generic();
      return ::inet_ntop(type == kA ? AF_INET : AF_INET6, data.data(), text, sizeof text);
    }
    case kNs: case kCname: case kPtr: return name_at(at);
    case kMx:
      if (data.size() < 3) return generic();
      at = 2;
      return fmt::format("{} {}", get16(data.data()), name_at(at));
    case kSrv:
      if (data.size() < 7) return generic();
      at = 6;
      return fmt::format("{} {} {} {}", get16(data.data()), get16(data.data() + 2), get16(data.data() + 4), name_at(at));
    case kSoa: {
      const std::string server = name_at(at), mail = name_at(at);
      if (data.size() < at + 20) return generic();
      const char* numbers = data.data() + at;
      return fmt::format("{} {} {} {} {} {} {}", server, mail, get32(numbers), get32(numbers + 4), get32(numbers + 8), get32(numbers + 12), get32(numbers + 16));
    }
    case kTxt: case kSpf: {
      std::string out;
      while (at < data.size()) {
        const std::size_t size = static_cast<unsigned char>(data[at]);
        if (at + 1 + size > data.size()) return generic();
        out += (out.empty() ? "" : " ") + text_of_string(data.substr(at + 1, size));
        at += 1 + size;
      }
      return out;
    }
    case kCaa: {
      if (data.size() < 2 || data.size() < 2u + static_cast<unsigned char>(data[1])) return generic();
      const std::size_t tag = static_cast<unsigned char>(data[1]);
      if (!is_caa_tag(data.substr(2, tag))) return generic();
      return fmt::format("{} {} {}", static_cast<unsigned char>(data[0]), data.substr(2, tag), text_of_string(data.substr(2 + tag)));
    }
    default: return generic();
  }
}

}  // namespace reef::wire::dns
