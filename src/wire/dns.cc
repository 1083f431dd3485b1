#include "wire/dns.h"

#include <algorithm>
#include <cstring>

namespace reef::wire::dns {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

// Reads a name that may be compressed and moves `at` behind it. Pointers must go backwards, so it always ends.
bool read_name(std::string_view packet, std::size_t& at, std::string& out) {
  std::size_t from = at, limit = packet.size();
  bool jumped = false;
  out.clear();
  while (from < limit) {
    const auto size = static_cast<unsigned char>(packet[from]);
    if ((size & 0xC0) == 0xC0) {
      if (from + 1 >= packet.size()) return false;
      const std::size_t target = get16(packet.data() + from) & 0x3FFF;
      if (!jumped) at = from + 2;
      if (target >= from) return false;
      jumped = true;
      limit = packet.size();
      from = target;
      continue;
    }
    if (size > kLabelMax || from + 1 + size > packet.size()) return false;
    if (out.size() + size + 1 > kNameMax) return false;
    out += static_cast<char>(size);
    for (std::size_t i = 0; i < size; ++i) out += lower(packet[from + 1 + i]);
    from += 1 + size;
    if (size == 0) {
      if (!jumped) at = from;
      return true;
    }
  }
  return false;
}

// Appends `data` with the names in it uncompressed. False when it is malformed.
bool read_data(std::string_view packet, std::size_t at, std::size_t size, std::uint16_t type, std::string& out) {
  const std::size_t end = at + size;
  std::size_t fixed = 0, names = 0;
  switch (type) {
    case kNs: case kCname: case kPtr: names = 1; break;
    case kSoa: names = 2; break;
    case kMx: fixed = 2; names = 1; break;
    case kSrv: fixed = 6; names = 1; break;
    default: out.append(packet.substr(at, size)); return true;
  }
  if (fixed > size) return false;
  out.append(packet.substr(at, fixed));
  at += fixed;
  for (; names > 0; --names) {
    std::string name;
    if (!read_name(packet, at, name) || at > end) return false;
    out += name;
  }
  if (type != kSoa && at != end) return false;
  out.append(packet.substr(at, end - at));
  return true;
}

bool read_record(std::string_view packet, std::size_t& at, Record& out) {
  if (!read_name(packet, at, out.name) || at + 10 > packet.size()) return false;
  const char* fixed = packet.data() + at;
  out.type = get16(fixed);
  out.klass = get16(fixed + 2);
  out.ttl = get32(fixed + 4);
  const std::size_t size = get16(fixed + 8);
  at += 10;
  if (at + size > packet.size()) return false;
  if (!read_data(packet, at, size, out.type, out.data)) return false;
  at += size;
  return true;
}

// Moves behind a name without keeping it.
bool skip_name(std::string_view packet, std::size_t& at) {
  while (at < packet.size()) {
    const auto size = static_cast<unsigned char>(packet[at]);
    if ((size & 0xC0) == 0xC0) return (at += 2) <= packet.size();
    if (size > kLabelMax) return false;
    at += 1 + size;
    if (size == 0) return at <= packet.size();
  }
  return false;
}

// The OPT record among the additional ones.
bool read_edns(std::string_view packet, std::size_t at, std::size_t count, Query& out) {
  for (; count > 0; --count) {
    const std::size_t began = at;
    if (!skip_name(packet, at) || at + 10 > packet.size()) return false;
    const char* fixed = packet.data() + at;
    at += 10u + get16(fixed + 8);
    if (at > packet.size()) return false;
    if (get16(fixed) != kOpt) continue;
    if (packet[began] != 0 || out.edns) return false;
    out.edns = Edns{.udp_size = get16(fixed + 2), .version = static_cast<std::uint8_t>(fixed[5]), .dnssec_ok = (fixed[6] & 0x80) != 0};
  }
  return true;
}

void append_record(std::string& out, const Record& record, std::string_view question) {
  if (!question.empty() && record.name == question) out.append("\xC0\x0C", 2);
  else out += record.name;
  char fixed[10];
  put16(fixed, record.type);
  put16(fixed + 2, record.klass);
  put32(fixed + 4, record.ttl);
  put16(fixed + 8, static_cast<std::uint16_t>(record.data.size()));
  out.append(fixed, sizeof fixed);
  out += record.data;
}

}  // namespace

std::optional<std::string> name_from_text(std::string_view text) {
  std::string out, label;
  if (text == ".") return std::string(1, '\0');
  const auto end_label = [&] {
    if (label.empty() || label.size() > kLabelMax) return false;
    out += static_cast<char>(label.size());
    out += label;
    label.clear();
    return true;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '.') {
      if (!end_label()) return std::nullopt;
      continue;
    }
    if (c == '\\') {
      const auto octal = [&](std::size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '7'; };
      if (octal(i + 1) && octal(i + 2) && octal(i + 3) && text[i + 1] <= '3') {
        c = static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
        i += 3;
      } else if (i + 1 < text.size()) {
        c = text[++i];
      } else {
        return std::nullopt;
      }
    }
    label += lower(c);
  }
  if (!label.empty() && !end_label()) return std::nullopt;
  if (out.empty() || out.size() + 1 > kNameMax) return std::nullopt;
  out += '\0';
  return out;
}

std::string name_to_text(std::string_view name) {
  std::string out;
  for (std::size_t at = 0; at < name.size();) {
    const auto size = static_cast<unsigned char>(name[at]);
    if (size == 0) break;
    for (std::size_t i = at + 1; i <= at + size && i < name.size(); ++i) {
      const char c = name[i];
      if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_') {
        out += c;
      } else {
        const auto byte = static_cast<unsigned char>(c);
        out += {'\\', static_cast<char>('0' + (byte >> 6)), static_cast<char>('0' + ((byte >> 3) & 7)), static_cast<char>('0' + (byte & 7))};
      }
    }
    out += '.';
    at += 1u + size;
  }
  return out.empty() ? "." : out;
}

std::string_view parent_of(std::string_view name) {
  if (name.size() <= 1) return name;
  return name.substr(1u + static_cast<unsigned char>(name[0]));
}

bool is_below(std::string_view name, std::string_view ancestor) {
  while (name.size() > ancestor.size()) name = parent_of(name);
  return name == ancestor;
}

std::size_t label_count(std::string_view name) {
  std::size_t count = 0;
  for (; name.size() > 1; name = parent_of(name)) ++count;
  return count;
}

std::optional<Code> parse_query(std::string_view packet, Query& out) {
  if (packet.size() < kHeaderSize) return std::nullopt;
  out.id = get16(packet.data());
  out.flags = get16(packet.data() + 2);
  if (out.flags & kQr) return std::nullopt;
  out.opcode = (out.flags >> 11) & 0xF;
  out.edns.reset();
  out.name_size = 0;
  out.question = {};
  if (out.opcode != 0) return kNotImp;
  if (get16(packet.data() + 4) != 1 || get16(packet.data() + 6) != 0) return kFormErr;
  std::size_t at = kHeaderSize, size = 0;
  for (;;) {
    if (at >= packet.size()) return kFormErr;
    const auto label = static_cast<unsigned char>(packet[at]);
    if (label > kLabelMax || at + 1 + label > packet.size() || size + label + 1 > kNameMax) return kFormErr;
    out.name[size++] = static_cast<char>(label);
    for (std::size_t i = 0; i < label; ++i) out.name[size++] = lower(packet[at + 1 + i]);
    at += 1u + label;
    if (label == 0) break;
  }
  if (at + 4 > packet.size()) return kFormErr;
  out.name_size = static_cast<std::uint8_t>(size);
  out.type = get16(packet.data() + at);
  out.klass = get16(packet.data() + at + 2);
  at += 4;
  out.question = packet.substr(kHeaderSize, at - kHeaderSize);
  const std::size_t authority = get16(packet.data() + 8), additional = get16(packet.data() + 10);
  if (authority != 0) return kFormErr;
  if (!read_edns(packet, at, additional, out)) return kFormErr;
  if (out.edns && out.edns->version != 0) return kBadVers;
  return kNoError;
}

std::optional<Message> parse_message(std::string_view packet) {
  if (packet.size() < kHeaderSize || get16(packet.data() + 4) != 1) return std::nullopt;
  Message out;
  out.id = get16(packet.data());
  out.flags = get16(packet.data() + 2);
  std::size_t at = kHeaderSize;
  if (!read_name(packet, at, out.name) || at + 4 > packet.size()) return std::nullopt;
  out.type = get16(packet.data() + at);
  out.klass = get16(packet.data() + at + 2);
  at += 4;
  std::vector<Record>* const sections[] = {&out.answers, &out.authority, &out.additional};
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t count = get16(packet.data() + 6 + 2 * i); count > 0; --count) {
      Record record;
      if (!read_record(packet, at, record)) return std::nullopt;
      sections[i]->push_back(std::move(record));
    }
  return out;
}

std::string build_message(const Message& message, bool with_edns) {
  std::string out(kHeaderSize, '\0');
  put16(out.data(), message.id);
  put16(out.data() + 2, message.flags);
  put16(out.data() + 4, 1);
  put16(out.data() + 6, static_cast<std::uint16_t>(message.answers.size()));
  put16(out.data() + 8, static_cast<std::uint16_t>(message.authority.size()));
  put16(out.data() + 10, static_cast<std::uint16_t>(message.additional.size() + with_edns));
  out += message.name;
  char fixed[4];
  put16(fixed, message.type);
  put16(fixed + 2, message.klass);
  out.append(fixed, sizeof fixed);
  for (const auto* section : {&message.answers, &message.authority, &message.additional})
    for (const Record& record : *section) append_record(out, record, message.name);
  if (with_edns) append_record(out, {.name = std::string(1, '\0'), .type = kOpt, .klass = 1232, .ttl = 0, .data = {}}, {});
  return out;
}

std::string build_query(std::uint16_t id, std::string_view name, std::uint16_t type) {
  return build_message({.id = id, .flags = kRd, .name = std::string(name), .type = type, .klass = kIn, .answers = {}, .authority = {}, .additional = {}}, true);
}

}  // namespace reef::wire::dns
