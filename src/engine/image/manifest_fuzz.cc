#include "engine/image/manifest.h"
#include "engine/image/reference.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto manifest = reef::image::parse_manifest(text)) static_cast<void>(reef::image::choose_platform(*manifest));
  static_cast<void>(reef::image::parse_config(text));
  static_cast<void>(reef::image::find_user(text.substr(0, size / 2), text, text));
  static_cast<void>(reef::image::parse_reference(text));
  return 0;
}
