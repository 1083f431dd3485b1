// The slow computations of user pools, beside the loop: hashes of passwords and signing keys. Comes back to the calling loop;
// a failure means that too much is waiting.
#pragma once

#include <string>

#include "base/result.h"
#include "base/task.h"
#include "engine/identity/srp.h"
#include "io/pool.h"

namespace reef::identity {

class Workers {
 public:
  // What is kept of a password. `pool` and `user` as SRP names them.
  struct Kept {
    std::string hash;
    SrpVerifier srp;
  };
  Task<Result<Kept, Failure>> keep(std::string pool, std::string user, std::string password);
  // An empty hash takes as long as another, and nothing matches it.
  Task<Result<bool, Failure>> matches(std::string password, std::string hash);
  struct Keys {
    std::string private_pem, public_pem;
  };
  Task<Result<Keys, Failure>> make_keys();

 private:
  io::Pool pool_{"identity", 1, 256};
};

}  // namespace reef::identity
