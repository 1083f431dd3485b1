#include "engine/sandbox/dns_question.h"

namespace reef::sandbox {
namespace {
constexpr std::size_t kHeaderBytes = 12;
std::uint16_t read16(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[at]) << 8 | static_cast<unsigned char>(bytes[at + 1]));
}
void put16(std::string& out, std::uint16_t value) {
  out += static_cast<char>(value >> 8);
  out += static_cast<char>(value);
}
}  // namespace

std::optional<DnsQuestion> parse_question(std::string_view query) {
  if (query.size() < kHeaderBytes + 5) return std::nullopt;
  const bool is_query = (static_cast<unsigned char>(query[2]) & 0xF8) == 0;
  if (!is_query || read16(query, 4) != 1) return std::nullopt;
  DnsQuestion question;
  std::size_t at = kHeaderBytes;
  for (;;) {
    if (at >= query.size()) return std::nullopt;
    const auto size = static_cast<unsigned char>(query[at++]);
    if (size == 0) break;
    if (size > 63 || at + size > query.size()) return std::nullopt;
    if (!question.name.empty()) question.name += '.';
    for (const char c : query.substr(at, size)) question.name += c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    at += size;
    if (question.name.size() > 255) return std::nullopt;
  }
  if (at + 4 > query.size()) return std::nullopt;
  question.type = read16(query, at);
  question.end = at + 4;
  return question;
}

std::string answer(std::string_view query, const DnsQuestion& question, std::optional<std::uint32_t> address) {
  std::string reply(query.substr(0, question.end));
  reply[2] = static_cast<char>(0x80 | (query[2] & 0x01));  // a response; recursion was wanted
  reply[3] = static_cast<char>(0x80);                      // and is available
  const std::uint16_t answers = address ? 1 : 0;
  reply[6] = 0, reply[7] = static_cast<char>(answers);
  for (std::size_t i = 8; i < kHeaderBytes; ++i) reply[i] = 0;
  if (address) {
    put16(reply, 0xC00C);  // the question's name
    put16(reply, kDnsA);
    put16(reply, 1);
    put16(reply, 0);
    put16(reply, 60);  // seconds to keep it
    put16(reply, 4);
    put16(reply, static_cast<std::uint16_t>(*address >> 16));
    put16(reply, static_cast<std::uint16_t>(*address));
  }
  return reply;
}

}  // namespace reef::sandbox
