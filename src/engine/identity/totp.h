// One-time passwords of authenticator apps: six digits, every 30 seconds, HMAC-SHA1.
// https://www.rfc-editor.org/rfc/rfc6238
#pragma once

#include <string>
#include <string_view>

#include "base/time.h"

namespace reef::identity {

std::string base32_encode(std::string_view bytes);
// "492039" for a secret in base32 at a time; empty when the secret is none.
std::string totp_at(std::string_view secret, Time now);
// The app's clock may be one step off.
bool is_totp(std::string_view secret, std::string_view code, Time now);

}  // namespace reef::identity
