#include "wire/event_stream.h"

#include "base/digest.h"

namespace reef::wire {
namespace {

using Type = EventHeader::Type;

void append_big(std::string& out, std::uint64_t value, int size) {
  for (int shift = (size - 1) * 8; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift);
}
std::uint32_t read_big(std::string_view in, std::size_t at, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | static_cast<unsigned char>(in[at + i]);
  return value;
}

// Bytes of a value of fixed size; -1 for those with a length of their own.
int fixed_size(Type type) {
  switch (type) {
    case Type::kTrue:
    case Type::kFalse: return 0;
    case Type::kByte: return 1;
    case Type::kShort: return 2;
    case Type::kInteger: return 4;
    case Type::kLong:
    case Type::kTimestamp: return 8;
    case Type::kUuid: return 16;
    case Type::kBytes:
    case Type::kString: return -1;
  }
  return -1;
}

bool read_headers(std::string_view in, std::vector<EventHeader>& out) {
  while (!in.empty()) {
    EventHeader header;
    const std::size_t name_size = static_cast<unsigned char>(in[0]);
    if (name_size == 0 || in.size() < name_size + 2) return false;
    header.name = std::string(in.substr(1, name_size));
    const auto type = static_cast<unsigned char>(in[1 + name_size]);
    if (type > 9) return false;
    header.type = static_cast<Type>(type);
    in.remove_prefix(2 + name_size);
    std::size_t size = 0;
    if (const int fixed = fixed_size(header.type); fixed >= 0) {
      size = static_cast<std::size_t>(fixed);
    } else {
      if (in.size() < 2) return false;
      size = read_big(in, 0, 2);
      in.remove_prefix(2);
    }
    if (in.size() < size) return false;
    header.value = std::string(in.substr(0, size));
    in.remove_prefix(size);
    out.push_back(std::move(header));
  }
  return true;
}

}  // namespace

void append_event(std::string& out, const EventMessage& message) {
  std::string headers;
  for (const EventHeader& header : message.headers) {
    headers += static_cast<char>(header.name.size());
    headers += header.name;
    headers += static_cast<char>(header.type);
    if (fixed_size(header.type) < 0) append_big(headers, header.value.size(), 2);
    headers += header.value;
  }
  const std::size_t from = out.size();
  append_big(out, 12 + headers.size() + message.payload.size() + 4, 4);
  append_big(out, headers.size(), 4);
  append_big(out, crc32(std::string_view(out).substr(from)), 4);
  out += headers;
  out += message.payload;
  append_big(out, crc32(std::string_view(out).substr(from)), 4);
}

Result<bool, std::string> take_event(std::string_view& in, EventMessage& message) {
  if (in.size() < 12) return false;
  const std::size_t total = read_big(in, 0, 4), headers = read_big(in, 4, 4);
  if (read_big(in, 8, 4) != crc32(in.substr(0, 8))) return Err(std::string("the prelude's checksum does not match"));
  if (total > kEventMessageBytesMax || total < 16 || headers > total - 16) return Err(std::string("impossible length"));
  if (in.size() < total) return false;
  if (read_big(in, total - 4, 4) != crc32(in.substr(0, total - 4))) return Err(std::string("the message's checksum does not match"));
  message = {};
  if (!read_headers(in.substr(12, headers), message.headers)) return Err(std::string("malformed headers"));
  message.payload = std::string(in.substr(12 + headers, total - 16 - headers));
  in.remove_prefix(total);
  return true;
}

}  // namespace reef::wire
