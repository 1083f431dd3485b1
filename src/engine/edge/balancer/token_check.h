// Lets requests through whose Authorization header brings a valid token of an issuer: the jwt-validation action.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/listener-verify-jwt.html
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/task.h"
#include "engine/edge/key_sets.h"

namespace reef::edge {

struct TokenCheck {
  enum class Format { kString, kArray, kWords };
  struct Claim {
    std::string name;
    Format format = Format::kString;
    std::vector<std::string> values;   // one of them has to be there
  };
  std::string jwks_endpoint, issuer;
  std::vector<Claim> claims;
};

// The token of "Bearer <token>", "" when there is none.
std::string_view bearer_token(std::string_view authorization);
// What is wrong with a token besides its signature; nothing when all is well.
std::string claims_fault(const TokenCheck& check, const wire::Json& claims, Time now);
// The status to answer with instead of going on: 0 when the token is good, 401 when not, 500 when the keys cannot be had.
Task<int> check_token(const TokenCheck& check, std::string authorization, KeySets& keys, Time now);

}  // namespace reef::edge
