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

 private:
  struct Kept {
    std::shared_ptr<const KeySet> keys;
    Time fetched{};
  };
  Web& web_;
  TextMap<Kept> kept_;
};

}  // namespace reef::edge
