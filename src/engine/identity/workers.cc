#include "engine/identity/workers.h"

#include "base/seal.h"
#include "engine/identity/passwords.h"
#include "io/signing_key.h"

namespace reef::identity {
namespace {

constexpr std::size_t kSaltBytes = 16;

Failure busy() { return Failure{"too many passwords are being checked", EAGAIN}; }

// So that names of users cannot be found out by the time that an answer takes.
const std::string& nobody() {
  static const std::string hash = hash_password(secret_bytes(kSaltBytes));
  return hash;
}

}  // namespace

Task<Result<Workers::Kept, Failure>> Workers::keep(std::string pool, std::string user, std::string password) {
  auto made = co_await pool_.run([&] { return Kept{.hash = hash_password(password), .srp = make_srp_verifier(pool, user, password, secret_bytes(kSaltBytes))}; });
  if (!made) co_return Err(busy());
  co_return *std::move(made);
}

Task<Result<bool, Failure>> Workers::matches(std::string password, std::string hash) {
  const auto found = co_await pool_.run([&] { return hash.empty() ? (is_password(password, nobody()), false) : is_password(password, hash); });
  if (!found) co_return Err(busy());
  co_return *found;
}

Task<Result<Workers::Keys, Failure>> Workers::make_keys() {
  auto made = co_await pool_.run([] { return io::make_rsa_signing_key(); });
  if (!made) co_return Err(busy());
  if (!*made) co_return Err(std::move(made->error()));
  co_return Keys{std::move((*made)->private_pem), std::move((*made)->public_pem)};
}

}  // namespace reef::identity
