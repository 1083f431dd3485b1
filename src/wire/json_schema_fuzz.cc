#include "wire/json_schema.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto cut = text.find('\n');
  if (cut == std::string_view::npos) return 0;
  const auto schema = reef::wire::Json::parse(text.substr(0, cut)), value = reef::wire::Json::parse(text.substr(cut + 1));
  if (schema && value) static_cast<void>(reef::wire::schema_violations(*schema, *value));
  return 0;
}
