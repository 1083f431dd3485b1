// Bytes as text and back: hexadecimal, base64, percent-encoding.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reef {

std::string hex_encode(std::string_view bytes);
std::optional<std::string> hex_decode(std::string_view text);

// RFC 4648 with padding. Decoding is strict: nothing for a foreign character or wrong padding.
std::string base64_encode(std::string_view bytes);
void base64_append(std::string& out, std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);
// Nothing either when bits are set that are beyond the last byte: one text for each value.
std::optional<std::string> base64_decode_strict(std::string_view text);
// The URL-safe alphabet without padding.
std::string base64url_encode(std::string_view bytes);
std::optional<std::string> base64url_decode(std::string_view text);

// RFC 3986: everything but unreserved characters becomes %XX; '/' stays when `keep_slash`.
std::string percent_encode(std::string_view text, bool keep_slash = false);
// Undoes percent-encoding; with `plus_is_space`, as in forms and query strings. A stray '%' stays as it is.
std::string percent_decode(std::string_view text, bool plus_is_space = false);

}  // namespace reef
