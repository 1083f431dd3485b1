#include "base/stream_cipher.h"

#include <openssl/evp.h>

#include <utility>

#include "base/check.h"

namespace reef {
namespace {

constexpr std::uint64_t kBlockBytes = 16;

EVP_CIPHER_CTX* context_of(void* context) { return static_cast<EVP_CIPHER_CTX*>(context); }
unsigned char* bytes_of(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

}  // namespace

StreamCipher::StreamCipher(std::string_view key, std::string_view nonce, std::uint64_t offset) : context_(EVP_CIPHER_CTX_new()) {
  CHECK(key.size() == kKeyBytes && nonce.size() == kNonceBytes && context_ != nullptr);
  // The counter is the nonce as a number, and one more for each block before the offset.
  std::string counter(nonce);
  std::uint64_t add = offset / kBlockBytes;
  unsigned carry = 0;
  for (std::size_t i = kNonceBytes; i > 0; --i, add >>= 8) {
    const unsigned sum = static_cast<unsigned char>(counter[i - 1]) + static_cast<unsigned>(add & 0xFF) + carry;
    counter[i - 1] = static_cast<char>(sum);
    carry = sum >> 8;
  }
  CHECK(EVP_EncryptInit_ex(context_of(context_), EVP_aes_256_ctr(), nullptr, bytes_of(key), bytes_of(std::string_view(counter))) == 1);
  if (const std::size_t skipped = offset % kBlockBytes) apply(std::string(skipped, '\0'));
}

StreamCipher::~StreamCipher() { EVP_CIPHER_CTX_free(context_of(context_)); }

StreamCipher::StreamCipher(StreamCipher&& other) noexcept : context_(std::exchange(other.context_, nullptr)) {}

StreamCipher& StreamCipher::operator=(StreamCipher&& other) noexcept {
  std::swap(context_, other.context_);
  return *this;
}

std::string StreamCipher::apply(std::string_view bytes) {
  std::string out(bytes.size(), '\0');
  constexpr std::size_t kAtOnce = 1u << 30;  // the library counts in int
  for (std::size_t at = 0; at < bytes.size(); at += kAtOnce) {
    const std::string_view piece = bytes.substr(at, kAtOnce);
    int written = 0;
    CHECK(EVP_EncryptUpdate(context_of(context_), bytes_of(out) + at, &written, bytes_of(piece), static_cast<int>(piece.size())) == 1);
    CHECK(static_cast<std::size_t>(written) == piece.size());
  }
  return out;
}

}  // namespace reef
