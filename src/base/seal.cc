#include "base/seal.h"

#include <openssl/evp.h>
#include <openssl/rand.h>

#include <memory>

#include "base/check.h"

namespace reef {
namespace {

constexpr std::size_t kNonceBytes = 12, kTagBytes = 16;

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

const unsigned char* raw(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* raw(std::string& text, std::size_t at) { return reinterpret_cast<unsigned char*>(text.data()) + at; }

}  // namespace

std::string secret_bytes(std::size_t count) {
  std::string out(count, '\0');
  CHECK(RAND_bytes(raw(out, 0), static_cast<int>(count)) == 1);
  return out;
}

// nonce, ciphertext, tag
std::string seal(std::string_view key, std::string_view purpose, std::string_view text) {
  CHECK(key.size() == kSealKeyBytes);
  std::string out = secret_bytes(kNonceBytes);
  out.resize(kNonceBytes + text.size() + kTagBytes);
  const Cipher cipher(EVP_CIPHER_CTX_new());
  int size = 0;
  bool good = EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, raw(key), raw(out, 0)) == 1;
  good = good && EVP_EncryptUpdate(cipher.get(), nullptr, &size, raw(purpose), static_cast<int>(purpose.size())) == 1;
  good = good && EVP_EncryptUpdate(cipher.get(), raw(out, kNonceBytes), &size, raw(text), static_cast<int>(text.size())) == 1;
  good = good && EVP_EncryptFinal_ex(cipher.get(), raw(out, kNonceBytes + text.size()), &size) == 1;
  good = good && EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, raw(out, kNonceBytes + text.size())) == 1;
  CHECK(good);
  return out;
}

std::optional<std::string> unseal(std::string_view key, std::string_view purpose, std::string_view sealed) {
  if (key.size() != kSealKeyBytes || sealed.size() < kNonceBytes + kTagBytes) return std::nullopt;
  std::string out(sealed.substr(kNonceBytes, sealed.size() - kNonceBytes - kTagBytes));
  std::string tag(sealed.substr(sealed.size() - kTagBytes));
  const Cipher cipher(EVP_CIPHER_CTX_new());
  int size = 0;
  bool good = EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, raw(key), raw(sealed)) == 1;
  good = good && EVP_DecryptUpdate(cipher.get(), nullptr, &size, raw(purpose), static_cast<int>(purpose.size())) == 1;
  good = good && EVP_DecryptUpdate(cipher.get(), raw(out, 0), &size, raw(out, 0), static_cast<int>(out.size())) == 1;
  good = good && EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, raw(tag, 0)) == 1;
  good = good && EVP_DecryptFinal_ex(cipher.get(), raw(tag, 0), &size) == 1;
  if (!good) return std::nullopt;
  return out;
}

}  // namespace reef
