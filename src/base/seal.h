// Text that only the holder of a key can read or make: AES-256-GCM. For what is given to strangers to keep, as cookies.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reef {

inline constexpr std::size_t kSealKeyBytes = 32;

// Bytes from the kernel, for keys and nonces.
std::string secret_bytes(std::size_t count);

// `key` has kSealKeyBytes. What was sealed for one `purpose` does not open for another.
std::string seal(std::string_view key, std::string_view purpose, std::string_view text);
// Nothing when it was sealed by another key, for another purpose, or changed.
std::optional<std::string> unseal(std::string_view key, std::string_view purpose, std::string_view sealed);

}  // namespace reef
