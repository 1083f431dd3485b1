#include "io/signing_key.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "io/openssl.h"

namespace reef::io {
namespace {

using openssl::Bio;
using openssl::bio_of;
using openssl::Freed;
using openssl::Key;

constexpr int kNumberBytes = 32;
using Context = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX, EVP_MD_CTX_free>>;
using Signature = std::unique_ptr<ECDSA_SIG, Freed<ECDSA_SIG, ECDSA_SIG_free>>;

const unsigned char* raw(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

}  // namespace

Result<SigningKey, Failure> make_signing_key() {
  const Key key(EVP_EC_gen("P-256"));
  const Bio private_bio(BIO_new(BIO_s_mem())), public_bio(BIO_new(BIO_s_mem()));
  if (!key || PEM_write_bio_PKCS8PrivateKey(private_bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1 ||
      PEM_write_bio_PUBKEY(public_bio.get(), key.get()) != 1)
    return Err(openssl::last_error("a signing key cannot be made"));
  return SigningKey{openssl::read_bio(private_bio.get()), openssl::read_bio(public_bio.get())};
}

Result<std::string, Failure> sign_es256(std::string_view private_pem, std::string_view bytes) {
  const Key key(PEM_read_bio_PrivateKey(bio_of(private_pem).get(), nullptr, nullptr, nullptr));
  const Context context(EVP_MD_CTX_new());
  std::size_t size = 0;
  std::string der;
  bool good = key && EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
              EVP_DigestSign(context.get(), nullptr, &size, raw(bytes), bytes.size()) == 1;
  if (good) {
    der.resize(size);
    good = EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(der.data()), &size, raw(bytes), bytes.size()) == 1;
  }
  const unsigned char* at = raw(der);
  const Signature pair(good ? d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(size)) : nullptr);
  if (!pair) return Err(openssl::last_error("a token cannot be signed"));
  std::string out(2 * kNumberBytes, '\0');
  auto* to = reinterpret_cast<unsigned char*>(out.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), to, kNumberBytes);
  BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), to + kNumberBytes, kNumberBytes);
  return out;
}

bool verify_es256(std::string_view public_pem, std::string_view bytes, std::string_view signature) {
  if (signature.size() != 2 * kNumberBytes) return false;
  const Key key(PEM_read_bio_PUBKEY(bio_of(public_pem).get(), nullptr, nullptr, nullptr));
  const Signature pair(ECDSA_SIG_new());
  ECDSA_SIG_set0(pair.get(), BN_bin2bn(raw(signature), kNumberBytes, nullptr), BN_bin2bn(raw(signature) + kNumberBytes, kNumberBytes, nullptr));
  unsigned char* der = nullptr;
  const int size = i2d_ECDSA_SIG(pair.get(), &der);
  const Context context(EVP_MD_CTX_new());
  const bool good = key && size > 0 && EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
                    EVP_DigestVerify(context.get(), der, static_cast<std::size_t>(size), raw(bytes), bytes.size()) == 1;
  OPENSSL_free(der);
  ERR_clear_error();
  return good;
}

}  // namespace reef::io
