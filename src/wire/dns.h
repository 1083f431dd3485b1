// DNS messages (RFC 1035, EDNS0 by RFC 6891) as pure functions on bytes. Names are kept in wire form, in lower case:
// length-prefixed labels with the root's zero at the end ("\3www\7example\3com\0").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reef::wire::dns {

constexpr std::size_t kNameMax = 255, kLabelMax = 63, kHeaderSize = 12, kMessageMax = 65535;
constexpr std::uint16_t kIn = 1;

enum Type : std::uint16_t {
  kA = 1, kNs = 2, kCname = 5, kSoa = 6, kPtr = 12, kMx = 15, kTxt = 16, kAaaa = 28, kSrv = 33, kNaptr = 35, kOpt = 41, kDs = 43,
  kSshfp = 44, kTlsa = 52, kSvcb = 64, kHttps = 65, kSpf = 99, kAny = 255, kCaa = 257,
};
enum Code : std::uint8_t { kNoError = 0, kFormErr = 1, kServFail = 2, kNxDomain = 3, kNotImp = 4, kRefused = 5, kBadVers = 16 };
// Bits of the header's second word.
constexpr std::uint16_t kQr = 0x8000, kAa = 0x0400, kTc = 0x0200, kRd = 0x0100, kRa = 0x0080, kCd = 0x0010;

// "www.Example.com", with or without the last dot; \DDD (octal, as Route 53 writes it) and \X escapes. Nothing when a
// label or the name is too long or empty.
std::optional<std::string> name_from_text(std::string_view text);
// "www.example.com."; bytes that are no plain characters as \DDD in octal.
std::string name_to_text(std::string_view name);
// Without its first label; the root for the root. A view into `name`.
std::string_view parent_of(std::string_view name);
bool is_below(std::string_view name, std::string_view ancestor);  // or equal
std::size_t label_count(std::string_view name);

std::optional<Type> type_from_text(std::string_view text);
std::string_view type_to_text(std::uint16_t type);  // "" when unknown

// A value as zone files and Route 53 write it ("10 mail.example.com.", "\"v=spf1\" \"...\"") as wire data, names
// uncompressed; the error says what is wrong, in Route 53's words.
struct ValueError {
  std::string message;
};
std::optional<std::string> encode_value(Type type, std::string_view text, ValueError& error);
// The other way; hexadecimal by RFC 3597 when the type is not known.
std::string decode_value(std::uint16_t type, std::string_view data);

struct Edns {
  std::uint16_t udp_size = 512;
  std::uint8_t version = 0;
  bool dnssec_ok = false;
};

// What a server needs of a query; the views point into the packet.
struct Query {
  std::uint16_t id = 0, flags = 0;
  std::uint8_t opcode = 0;
  std::string_view question;        // as sent: name, type and class
  char name[kNameMax + 1];          // lower case
  std::uint8_t name_size = 0;       // its root included
  std::uint16_t type = 0, klass = 0;
  std::optional<Edns> edns;
  std::string_view qname() const { return {name, name_size}; }
};
// What came of reading it: kNoError, or the code to answer with. Nothing for what deserves no answer (too short, a reply).
std::optional<Code> parse_query(std::string_view packet, Query& out);

struct Record {
  std::string name;
  std::uint16_t type = 0, klass = kIn;
  std::uint32_t ttl = 0;
  std::string data;  // names in it uncompressed for the types that may compress
};
struct Message {
  std::uint16_t id = 0, flags = 0;
  std::string name;
  std::uint16_t type = 0, klass = 0;
  std::vector<Record> answers, authority, additional;
  Code code() const { return static_cast<Code>(flags & 0xF); }
};
// A whole message with one question; nothing when any of it is malformed.
std::optional<Message> parse_message(std::string_view packet);
// Uncompressed but for owners that are the question's name.
std::string build_message(const Message& message, bool with_edns);
// A query for one name, with recursion desired and EDNS0.
std::string build_query(std::uint16_t id, std::string_view name, std::uint16_t type);

inline void put16(char* to, std::uint16_t value) {
  to[0] = static_cast<char>(value >> 8);
  to[1] = static_cast<char>(value);
}
inline void put32(char* to, std::uint32_t value) {
  put16(to, static_cast<std::uint16_t>(value >> 16));
  put16(to + 2, static_cast<std::uint16_t>(value));
}
inline std::uint16_t get16(const char* from) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(from[0]) << 8 | static_cast<unsigned char>(from[1]));
}
inline std::uint32_t get32(const char* from) { return static_cast<std::uint32_t>(get16(from)) << 16 | get16(from + 2); }

}  // namespace reef::wire::dns
