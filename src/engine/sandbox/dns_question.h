// Just enough of DNS to look at a query's question and answer it with an address or with nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace reef::sandbox {

struct DnsQuestion {
  std::string name;  // lower case, without the last dot
  std::uint16_t type = 0;
  std::size_t end = 0;  // bytes of the query up to and including the question
};
inline constexpr std::uint16_t kDnsA = 1, kDnsAaaa = 28;

// The one question of a standard query; nothing for anything else.
std::optional<DnsQuestion> parse_question(std::string_view query);
// NOERROR with one A record (host byte order), or without any.
std::string answer(std::string_view query, const DnsQuestion& question, std::optional<std::uint32_t> address);

}  // namespace reef::sandbox
