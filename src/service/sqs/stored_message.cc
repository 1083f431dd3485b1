#include "service/sqs/stored_message.h"

#include "base/bytes.h"
#include "base/check.h"
#include "base/digest.h"

namespace reef::service::sqs {
namespace {
constexpr std::uint8_t kFormat = 2;  // 1 had no received_before
}

std::string encode(const StoredMessage& message) {
  std::string bytes;
  bytes.reserve(message.body.size() + 128);
  ByteWriter out(bytes);
  out.fixed(kFormat);
  out.bytes(message.id);
  out.bytes(message.sender_id);
  out.bytes(message.trace_header);
  out.bytes(message.hop_trace);
  out.bytes(message.dead_letter_source);
  out.varint(message.received_before);
  out.bytes(message.group);
  out.bytes(message.dedup_id);
  out.varint(message.attributes.size());
  for (const StoredAttribute& attribute : message.attributes) {
    out.bytes(attribute.name);
    out.bytes(attribute.type);
    out.bytes(attribute.value);
  }
  out.bytes(message.md5_of_body);
  bytes += message.body;
  return bytes;
}

StoredMessage decode(std::string_view bytes) {
  ByteReader in(bytes);
  StoredMessage out;
  const auto format = in.fixed<std::uint8_t>();
  CHECK(format == kFormat || format == 1);
  out.id = in.text();
  out.sender_id = in.text();
  out.trace_header = in.text();
  out.hop_trace = in.text();
  out.dead_letter_source = in.text();
  if (format > 1) out.received_before = static_cast<std::uint32_t>(in.varint());
  out.group = in.text();
  out.dedup_id = in.text();
  out.attributes.resize(in.varint());
  for (StoredAttribute& attribute : out.attributes) {
    attribute.name = in.text();
    attribute.type = in.text();
    attribute.value = in.text();
  }
  out.md5_of_body = in.text();
  CHECK(in.ok());
  out.body = in.rest();
  return out;
}

std::string md5_of_attributes(const std::vector<StoredAttribute>& attributes) {
  std::string bytes;
  const auto add = [&bytes](std::string_view text) {
    const auto size = static_cast<std::uint32_t>(text.size());
    for (int shift = 24; shift >= 0; shift -= 8) bytes += static_cast<char>(size >> shift & 0xFF);
    bytes += text;
  };
  for (const StoredAttribute& attribute : attributes) {
    add(attribute.name);
    add(attribute.type);
    bytes += attribute.is_binary() ? '\x02' : '\x01';
    add(attribute.value);
  }
  return md5_hex(bytes);
}

}  // namespace reef::service::sqs
