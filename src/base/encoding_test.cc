#include "base/encoding.h"

#include <gtest/gtest.h>

namespace reef {
namespace {

TEST(Base64, DecodesWhatItEncodes) {
  for (const std::string text : {"", "a", "ab", "abc", "\xff\x00\x7f\x80"}) EXPECT_EQ(base64_decode_strict(base64_encode(text)), text);
}

TEST(Base64, StrictRefusesBitsBeyondTheLastByte) {
  EXPECT_EQ(base64_decode("AB=="), std::string(1, '\0'));
  EXPECT_EQ(base64_decode_strict("AB=="), std::nullopt);
  EXPECT_EQ(base64_decode_strict("AAB="), std::nullopt);
  EXPECT_EQ(base64_decode_strict("AAAB"), std::string("\0\0\1", 3));
  for (const char* text : {"=", "====", "A===", "AA=A", "AAAAA===", "A", "!AAA"}) EXPECT_EQ(base64_decode_strict(text), std::nullopt) << text;
}

}  // namespace
}  // namespace reef
