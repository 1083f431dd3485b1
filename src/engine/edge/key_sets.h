// Key sets of issuers by URL, fetched when needed and kept a while. One per loop.
#pragma once

#include <memory>
#include <string>

#include "base/text.h"
#include "engine/edge/web.h"
#include "engine/edge/web_tokens.h"

namespace reef::edge {

class KeySets {
 public:
  explicit KeySets(Web& web) : web_(web) {}
  // The keys at `url`, fetched again when `key_id` is not among those that are known; a failure says why there are none.
  Task<Result<std::shared_ptr<const KeySet>, Failure>> find(std::string url, std::string key_id, Time now);
  // The keys of an issuer, whose discovery document says where they are.
  // https://openid.net/specs/openid-connect-discovery-1_0.html
  Task<Result<std::shared_ptr<const KeySet>, Failure>> find_issuer(std::string issuer, std::string key_id, Time now);
  // The calling loop's own; `trusted_pem` is of the first call.
  static KeySets& of_this_loop(const Sites& sites, const std::string& trusted_pem);

 private:
  struct Place {
    std::string url;
    Time fetched{};
  };
  struct Kept {
    std::shared_ptr<const KeySet> keys;
    Time fetched{};
  };
  Web& web_;
  TextMap<Kept> kept_;
  TextMap<Place> places_;   // by issuer
};

}  // namespace reef::edge
