// JSON Web Tokens as verifiers see them: RS256 alone, with keys from a JSON Web Key Set. Pure functions.
// https://www.rfc-editor.org/rfc/rfc7519
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "wire/json.h"

namespace reef::edge {

struct WebToken {
  wire::Json head, claims;
  std::string signed_text, signature;
  std::string key_id() const { return head.text("kid"); }
};
// "<head>.<claims>.<signature>" in base64url; nothing when it is none. Nothing of it is verified.
std::optional<WebToken> parse_web_token(std::string_view text);

struct VerifyingKey {
  std::string id, public_pem;
};
using KeySet = std::vector<VerifyingKey>;
// The RSA keys for signatures of a JSON Web Key Set; fails when it is none or has more than `keys_max` keys.
Result<KeySet, Failure> parse_key_set(std::string_view json, std::size_t keys_max);
bool has_key(const KeySet& keys, std::string_view id);
// Whether one of the keys signed it. A token that names no key may be any one's.
bool is_signed(const WebToken& token, const KeySet& keys);

// A claim that is a time in seconds; nothing when it is none.
std::optional<Time> claim_time(const wire::Json& claims, std::string_view name);
// What a claim holds: of a string its words when `splits`, of an array its strings.
std::vector<std::string> claim_values(const wire::Json& claim, bool splits);

// A token: the head gets "alg" and "kid".
struct TokenSigner {
  std::string key_id, private_pem;
};
Result<std::string, Failure> make_web_token(const TokenSigner& signer, const wire::Json& claims);
// One key as a member of a key set.
Result<wire::Json, Failure> key_json(std::string_view id, std::string_view public_pem);

}  // namespace reef::edge
