// Keys that sign JSON Web Tokens: ES256, that is ECDSA on P-256 over SHA-256.
// https://www.rfc-editor.org/rfc/rfc7518#section-3.4
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

}  // namespace reef::io
