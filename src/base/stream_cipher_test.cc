#include "base/stream_cipher.h"

#include <gtest/gtest.h>

#include "base/encoding.h"

namespace reef {
namespace {

const std::string kKey = *hex_decode("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4");
const std::string kNonce = *hex_decode("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff");

// NIST SP 800-38A, F.5.5.
TEST(StreamCipher, IsAesInCounterMode) {
  const std::string plain = *hex_decode("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51");
  EXPECT_EQ(hex_encode(StreamCipher(kKey, kNonce).apply(plain)), "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5");
}

TEST(StreamCipher, GoesOnFromAnyOffset) {
  const std::string plain(100, 'x');
  for (const std::string& nonce : {kNonce, std::string(16, '\xFF')}) {  // the counter runs over
    const std::string whole = StreamCipher(kKey, nonce).apply(plain);
    for (std::size_t at = 0; at < plain.size(); ++at) EXPECT_EQ(StreamCipher(kKey, nonce, at).apply(whole.substr(at)), plain.substr(at)) << at;
    StreamCipher pieces(kKey, nonce);
    EXPECT_EQ(pieces.apply(plain.substr(0, 7)) + pieces.apply(plain.substr(7)), whole);
  }
}

TEST(StreamCipher, AddsLargeOffsetsToTheNonce) {
  const std::string nonce(15, '\0');
  EXPECT_EQ(StreamCipher(kKey, nonce + '\x01', 16ull << 36).apply("abc"),
            StreamCipher(kKey, std::string(11, '\0') + std::string("\x10\0\0\0\x01", 5)).apply("abc"));
}

}  // namespace
}  // namespace reef
