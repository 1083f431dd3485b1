#include "engine/edge/web_tokens.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/text.h"
#include "io/signing_key.h"

namespace reef::edge {
namespace {

using wire::Json;

constexpr std::size_t kTokenMax = 32 * 1024;
// Later times are no dates of ours.
constexpr std::int64_t kSecondsMax = 253'402'300'799;   // the end of the year 9999

std::optional<Json> decode_object(std::string_view text) {
  const auto bytes = base64url_decode(text);
  if (!bytes) return std::nullopt;
  auto json = Json::parse(*bytes);
  if (!json || !json->is_object()) return std::nullopt;
  return *std::move(json);
}

}  // namespace

std::optional<WebToken> parse_web_token(std::string_view text) {
  if (text.size() > kTokenMax) return std::nullopt;
  const auto first = text.find('.');
  const auto second = first == std::string_view::npos ? first : text.find('.', first + 1);
  if (second == std::string_view::npos || text.find('.', second + 1) != std::string_view::npos) return std::nullopt;
  auto head = decode_object(text.substr(0, first)), claims = decode_object(text.substr(first + 1, second - first - 1));
  auto signature = base64url_decode(text.substr(second + 1));
  if (!head || !claims || !signature) return std::nullopt;
  return WebToken{.head = *std::move(head), .claims = *std::move(claims), .signed_text = std::string(text.substr(0, second)), .signature = *std::move(signature)};
}

Result<KeySet, Failure> parse_key_set(std::string_view text, std::size_t keys_max) {
  const auto json = Json::parse(text);
  if (!json || !json->is_object() || !(*json)["keys"].is_array()) return Err(Failure{"this is no JSON Web Key Set"});
  if ((*json)["keys"].size() > keys_max) return Err(Failure{"the key set has more than " + std::to_string(keys_max) + " keys"});
  KeySet out;
  for (const Json& key : (*json)["keys"].as_array()) {
    if (!key.is_object() || key.text("kty") != "RSA" || (!key.text("use").empty() && key.text("use") != "sig") || (!key.text("alg").empty() && key.text("alg") != "RS256")) continue;
    const auto modulus = base64url_decode(key.text("n")), exponent = base64url_decode(key.text("e"));
    if (!modulus || !exponent) continue;
    if (auto pem = io::rsa_public_pem({*modulus, *exponent})) out.push_back({.id = key.text("kid"), .public_pem = *std::move(pem)});
  }
  return out;
}

bool has_key(const KeySet& keys, std::string_view id) {
  return std::any_of(keys.begin(), keys.end(), [&](const VerifyingKey& key) { return key.id == id; });
}

bool is_signed(const WebToken& token, const KeySet& keys) {
  if (token.head.text("alg") != "RS256") return false;
  const std::string id = token.key_id();
  return std::any_of(keys.begin(), keys.end(), [&](const VerifyingKey& key) {
    return (id.empty() || key.id == id) && io::verify_rs256(key.public_pem, token.signed_text, token.signature);
  });
}

std::optional<Time> claim_time(const Json& claims, std::string_view name) {
  const Json* const claim = claims.find(name);
  if (!claim || !claim->is_number()) return std::nullopt;
  const double seconds = claim->as_double().value_or(-1);
  if (!(seconds >= 0 && seconds <= static_cast<double>(kSecondsMax))) return std::nullopt;
  return from_seconds(static_cast<std::int64_t>(seconds));
}

std::vector<std::string> claim_values(const Json& claim, bool splits) {
  std::vector<std::string> out;
  if (claim.is_array()) {
    for (const Json& one : claim.as_array())
      if (one.is_string()) out.push_back(one.as_string());
  } else if (claim.is_string() && splits) {
    for (const std::string_view word : split(claim.as_string(), ' '))
      if (!word.empty()) out.emplace_back(word);
  } else if (claim.is_string()) {
    out.push_back(claim.as_string());
  } else if (!claim.is_null() && !claim.is_object()) {
    out.push_back(claim.scalar_text().value_or(""));
  }
  return out;
}

Result<std::string, Failure> make_web_token(const TokenSigner& signer, const Json& claims) {
  const Json head = Json::object({{"kid", signer.key_id}, {"alg", "RS256"}});
  std::string out = base64url_encode(head.dump()) + "." + base64url_encode(claims.dump());
  const std::string signature = TRY(io::sign_rs256(signer.private_pem, out));
  return out + "." + base64url_encode(signature);
}

Result<Json, Failure> key_json(std::string_view id, std::string_view public_pem) {
  const io::RsaNumbers numbers = TRY(io::rsa_numbers(public_pem));
  return Json::object({{"alg", "RS256"}, {"e", base64url_encode(numbers.exponent)}, {"kid", std::string(id)}, {"kty", "RSA"}, {"n", base64url_encode(numbers.modulus)}, {"use", "sig"}});
}

}  // namespace reef::edge
