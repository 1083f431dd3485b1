#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "io/openssl.h"
#include "io/signing_key.h"

namespace reef::io {
namespace {

using openssl::Bio;
using openssl::bio_of;
using openssl::Freed;
using openssl::Key;

constexpr unsigned kKeyBits = 2048;
constexpr int kBitsMin = 1024, kBitsMax = 8192;
using Context = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX, EVP_MD_CTX_free>>;
using KeyContext = std::unique_ptr<EVP_PKEY_CTX, Freed<EVP_PKEY_CTX, EVP_PKEY_CTX_free>>;
using Number = std::unique_ptr<BIGNUM, Freed<BIGNUM, BN_free>>;
using Builder = std::unique_ptr<OSSL_PARAM_BLD, Freed<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Freed<OSSL_PARAM, OSSL_PARAM_free>>;

const unsigned char* raw(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

Number read_number(std::string_view bytes) { return Number(BN_bin2bn(raw(bytes), static_cast<int>(bytes.size()), nullptr)); }

std::string public_text(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_mem()));
  return PEM_write_bio_PUBKEY(bio.get(), key) == 1 ? openssl::read_bio(bio.get()) : std::string();
}

std::string number_of(const EVP_PKEY* key, const char* name) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &number) != 1) return {};
  const Number owned(number);
  std::string out(static_cast<std::size_t>(BN_num_bytes(number)), '\0');
  BN_bn2bin(number, reinterpret_cast<unsigned char*>(out.data()));
  return out;
}

}  // namespace

Result<SigningKey, Failure> make_rsa_signing_key() {
  const Key key(EVP_RSA_gen(kKeyBits));
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!key || PEM_write_bio_PKCS8PrivateKey(bio.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return Err(openssl::last_error("a signing key cannot be made"));
  return SigningKey{openssl::read_bio(bio.get()), public_text(key.get())};
}

Result<std::string, Failure> sign_rs256(std::string_view private_pem, std::string_view bytes) {
  const Key key = openssl::read_key(private_pem);
  const Context context(EVP_MD_CTX_new());
  std::size_t size = 0;
  if (!key || !EVP_PKEY_is_a(key.get(), "RSA") || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, raw(bytes), bytes.size()) != 1)
    return Err(openssl::last_error("a token cannot be signed"));
  std::string out(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(out.data()), &size, raw(bytes), bytes.size()) != 1)
    return Err(openssl::last_error("a token cannot be signed"));
  out.resize(size);
  return out;
}

bool verify_rs256(std::string_view public_pem, std::string_view bytes, std::string_view signature) {
  const Key key(PEM_read_bio_PUBKEY(bio_of(public_pem).get(), nullptr, nullptr, nullptr));
  const Context context(EVP_MD_CTX_new());
  const bool good = key && EVP_PKEY_is_a(key.get(), "RSA") && EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) == 1 &&
                    EVP_DigestVerify(context.get(), raw(signature), signature.size(), raw(bytes), bytes.size()) == 1;
  ERR_clear_error();
  return good;
}

Result<RsaNumbers, Failure> rsa_numbers(std::string_view public_pem) {
  const Key key(PEM_read_bio_PUBKEY(bio_of(public_pem).get(), nullptr, nullptr, nullptr));
  RsaNumbers out;
  if (key && EVP_PKEY_is_a(key.get(), "RSA")) out = {number_of(key.get(), OSSL_PKEY_PARAM_RSA_N), number_of(key.get(), OSSL_PKEY_PARAM_RSA_E)};
  if (out.modulus.empty() || out.exponent.empty()) return Err(openssl::last_error("this is no RSA key"));
  return out;
}

Result<std::string, Failure> rsa_public_pem(const RsaNumbers& numbers) {
  const Number modulus = read_number(numbers.modulus), exponent = read_number(numbers.exponent);
  if (!modulus || !exponent || BN_num_bits(modulus.get()) < kBitsMin || BN_num_bits(modulus.get()) > kBitsMax || !BN_is_odd(exponent.get()) || BN_num_bits(exponent.get()) > 64)
    return Err(Failure{"the numbers make no RSA key of 1024 to 8192 bits"});
  const Builder builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
  const Parameters parameters(OSSL_PARAM_BLD_to_param(builder.get()));
  const KeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, "RSA", nullptr));
  EVP_PKEY* made = nullptr;
  if (EVP_PKEY_fromdata_init(context.get()) != 1 || EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters.get()) != 1)
    return Err(openssl::last_error("the numbers make no RSA key"));
  const Key key(made);
  return public_text(key.get());
}

}  // namespace reef::io
