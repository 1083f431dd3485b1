#include <cstdlib>

#include "wire/dns.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  namespace dns = reef::wire::dns;
  const std::string_view packet(reinterpret_cast<const char*>(data), size);
  dns::Query query;
  if (dns::parse_query(packet, query) == dns::kNoError && dns::name_from_text(dns::name_to_text(query.qname())) != query.qname()) std::abort();
  if (const auto message = dns::parse_message(packet)) {
    for (const auto& record : message->answers) dns::decode_value(record.type, record.data);
    // What is built from it says the same again.
    const auto again = dns::parse_message(dns::build_message(*message, false));
    if (!again || again->answers.size() != message->answers.size()) std::abort();
  }
  if (size > 2) {
    dns::ValueError error;
    const auto type = static_cast<dns::Type>(data[0] | (data[1] & 1) << 8);
    if (const auto value = dns::encode_value(type, packet.substr(2), error)) {
      const auto text = dns::decode_value(type, *value);
      if (!dns::type_to_text(type).empty() && !text.starts_with("\\#") && dns::encode_value(type, text, error) != value) std::abort();
    }
  }
  return 0;
}
