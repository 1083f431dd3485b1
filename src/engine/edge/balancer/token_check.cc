#include "engine/edge/balancer/token_check.h"

#include <algorithm>

#include "base/log.h"
#include "base/text.h"

namespace reef::edge {

std::string_view bearer_token(std::string_view authorization) {
  constexpr std::string_view kBearer = "bearer ";
  if (authorization.size() < kBearer.size() || !equals_ignoring_case(authorization.substr(0, kBearer.size()), kBearer)) return {};
  return trim(authorization.substr(kBearer.size()));
}

std::string claims_fault(const TokenCheck& check, const wire::Json& claims, Time now) {
  if (!claims["iss"].is_string() || claims.text("iss") != check.issuer) return "iss";
  const auto expires = claim_time(claims, "exp");
  if (!expires || now >= *expires) return "exp";
  for (const std::string_view name : {"nbf", "iat"}) {
    if (!claims.contains(name)) continue;
    const auto from = claim_time(claims, name);
    if (!from || now < *from) return std::string(name);
  }
  for (const TokenCheck::Claim& wanted : check.claims) {
    const wire::Json& claim = claims[wanted.name];
    if (wanted.format == TokenCheck::Format::kArray ? !claim.is_array() : !claim.is_string()) return wanted.name;
    const auto found = claim_values(claim, wanted.format == TokenCheck::Format::kWords);
    if (std::find_first_of(found.begin(), found.end(), wanted.values.begin(), wanted.values.end()) == found.end()) return wanted.name;
  }
  return {};
}

Task<int> check_token(const TokenCheck& check, std::string authorization, KeySets& keys, Time now) {
  constexpr int kUnauthorized = 401, kNoKeys = 500;
  const auto token = parse_web_token(bearer_token(authorization));
  if (!token || token->head.text("alg") != "RS256" || !claims_fault(check, token->claims, now).empty()) co_return kUnauthorized;
  const auto set = co_await keys.find(check.jwks_endpoint, token->key_id(), now);
  if (!set) {
    log::warn("an issuer's keys cannot be had", {{"endpoint", check.jwks_endpoint}, {"reason", set.error().message}});
    co_return kNoKeys;
  }
  co_return is_signed(*token, **set) ? 0 : kUnauthorized;
}

}  // namespace reef::edge
