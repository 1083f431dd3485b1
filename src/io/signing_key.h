// Keys that sign JSON Web Tokens: ES256, that is ECDSA on P-256 over SHA-256, and RS256, RSA with PKCS #1 v1.5.
// https://www.rfc-editor.org/rfc/rfc7518#section-3
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace reef::io {

struct SigningKey {
  std::string private_pem, public_pem;
};

Result<SigningKey, Failure> make_signing_key();
// 64 bytes: r and s.
Result<std::string, Failure> sign_es256(std::string_view private_pem, std::string_view bytes);
bool verify_es256(std::string_view public_pem, std::string_view bytes, std::string_view signature);

// 2048 bits; takes some 100 ms.
Result<SigningKey, Failure> make_rsa_signing_key();
Result<std::string, Failure> sign_rs256(std::string_view private_pem, std::string_view bytes);
bool verify_rs256(std::string_view public_pem, std::string_view bytes, std::string_view signature);
// The modulus and the exponent of an RSA key, big-endian, as JSON Web Keys have them.
struct RsaNumbers {
  std::string modulus, exponent;
};
Result<RsaNumbers, Failure> rsa_numbers(std::string_view public_pem);
// The key of such numbers: 1024 to 8192 bits.
Result<std::string, Failure> rsa_public_pem(const RsaNumbers& numbers);

}  // namespace reef::io
