// The server's side of the Secure Remote Password protocol as user pools speak it: SRP-6a with the 3072-bit group of RFC 5054,
// SHA-256, and a claim signed with a key of 16 bytes derived from the shared secret. Pure but for the caller's secrets.
// https://www.rfc-editor.org/rfc/rfc5054
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reef::identity {

// What is kept of a password: hexadecimal numbers.
struct SrpVerifier {
  std::string salt, verifier;
};
// `pool` is the part of the pool's id behind its underscore; `salt` are 16 secret bytes.
SrpVerifier make_srp_verifier(std::string_view pool, std::string_view user, std::string_view password, std::string_view salt);

// B for the client; `secret` are 128 secret bytes that are needed again. Nothing when A is no number that a client may send.
std::optional<std::string> srp_server_value(const SrpVerifier& of, std::string_view client_value, std::string_view secret);
// The key that both sides have when the client knows the password.
std::optional<std::string> srp_key(const SrpVerifier& of, std::string_view client_value, std::string_view server_value, std::string_view secret);
// What the client sends as PASSWORD_CLAIM_SIGNATURE, as bytes.
std::string srp_claim(std::string_view key, std::string_view pool, std::string_view user, std::string_view secret_block, std::string_view timestamp);

// The client's side, for tests: A of a secret, and the key.
std::string srp_client_value(std::string_view secret);
std::optional<std::string> srp_client_key(std::string_view pool, std::string_view user, std::string_view password, std::string_view salt, std::string_view server_value, std::string_view secret);

}  // namespace reef::identity
