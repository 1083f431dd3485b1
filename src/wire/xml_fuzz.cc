#include <cstddef>
#include <cstdint>
#include <string>

#include "base/check.h"
#include "wire/xml.h"

using reef::wire::XmlReader;

// Whatever was read as text and written again must read back the same.
static void walk(XmlReader& in, int depth) {
  std::string_view name;
  while (in.next_child(name)) {
    (void)in.attribute("xsi:type");
    if (depth % 3 == 2) {
      std::string text;
      if (in.read_text(text)) {
        std::string document = "<a>";
        reef::wire::append_xml_text(document, text);
        document += "</a>";
        XmlReader again(document);
        std::string back;
        CHECK(again.open_root(name) && again.read_text(back) && again.finish() && back == text);
      }
    } else {
      walk(in, depth + 1);
    }
  }
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  XmlReader in({reinterpret_cast<const char*>(data), size});
  std::string_view name;
  if (in.open_root(name)) walk(in, 0);
  in.finish();
  return 0;
}
