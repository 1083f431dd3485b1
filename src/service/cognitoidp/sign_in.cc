// What signing in takes before there are tokens: passwords, secret hashes and locks.
#include <fmt/format.h>

#include "base/digest.h"
#include "base/encoding.h"
#include "base/log.h"
#include "service/cognitoidp/cognitoidp.h"

namespace reef::service::cognito {
namespace {

aws::Error not_authorized(std::string text) { return {errors::kNotAuthorizedException, std::move(text)}; }

aws::Error overloaded() { return {errors::kTooManyRequestsException, "Rate exceeded"}; }

}  // namespace

// https://docs.aws.amazon.com/cognito/latest/developerguide/signing-up-users-in-your-app.html#cognito-user-pools-computing-secret-hash
Reply<void> check_secret_hash(const Client& client, std::string_view user, const std::optional<std::string>& hash) {
  const std::string id = client.client_id.value_or("");
  if (!client.client_secret) {
    if (hash && !hash->empty()) return Err(not_authorized(fmt::format("Client {} is not configured for secret but secret hash was received", id)));
    return {};
  }
  if (!hash || hash->empty()) return Err(not_authorized(fmt::format("Client {} is configured with secret but SECRET_HASH was not received", id)));
  if (!equals_in_constant_time(base64_encode(hmac_sha256(*client.client_secret, std::string(user) + id)), *hash)) return Err(not_authorized(fmt::format("SecretHash does not match for the client: {}", id)));
  return {};
}

aws::Error no_such_user(const Client& client) {
  if (client.prevent_user_existence_errors == "ENABLED") return not_authorized("Incorrect username or password.");
  return {errors::kUserNotFoundException, "User does not exist."};
}

Task<Reply<Who>> check_password(Cognito& service, std::string pool_id, std::string client_id, std::string name, std::string password, Time now) {
  Who who{.pool = pool_id, .client = client_id, .user = {}};
  std::string hash;
  {
    const auto at = CO_TRY(service.client(pool_id, client_id));
    if (User* const user = at.pool->users.find(name)) {
      if (identity::is_locked(*user, now)) co_return Err(not_authorized("Password attempts exceeded"));
      who.user = user->name;
      hash = user->password_hash;
    }
  }
  const auto matches = co_await service.workers.matches(std::move(password), hash);
  if (!matches) co_return Err(overloaded());
  const auto at = CO_TRY(service.client(pool_id, client_id));
  User* const user = who.user.empty() ? nullptr : at.pool->users.find(who.user);
  if (!user) co_return Err(no_such_user(*at.client));
  if (!*matches || user->password_hash != hash) {
    identity::note_failure(*user, now);
    co_return Err(not_authorized("Incorrect username or password."));
  }
  user->failures = 0;
  if (!user->enabled) co_return Err(not_authorized("User is disabled."));
  if (user->status == identity::UserStatus::kUnconfirmed) co_return Err(aws::Error(errors::kUserNotConfirmedException, "User is not confirmed."));
  if (user->status == identity::UserStatus::kResetRequired) co_return Err(aws::Error(errors::kPasswordResetRequiredException, "Password reset required for the user"));
  if (user->password_until && now >= *user->password_until) co_return Err(not_authorized("Temporary password has expired and must be reset by an administrator."));
  co_return who;
}

Task<Reply<void>> set_password(Cognito& service, Who who, std::string password, bool permanent, Time now) {
  {
    Pool& pool = *CO_TRY(service.pool(who.pool));
    if (const std::string fault = identity::password_fault(policy_of(pool), password); !fault.empty())
      co_return Err(aws::Error(errors::kInvalidPasswordException, "Password did not conform with policy: " + fault));
  }
  const std::string short_id = who.pool.substr(who.pool.find('_') + 1);
  auto kept = co_await service.workers.keep(short_id, who.user, std::move(password));
  if (!kept) co_return Err(overloaded());
  Pool& pool = *CO_TRY(service.pool(who.pool));
  User& user = *CO_TRY(service.user(pool, who.user));
  user.password_hash = std::move(kept->hash);
  user.srp = std::move(kept->srp);
  user.modified = now;
  user.failures = 0;
  user.status = permanent ? identity::UserStatus::kConfirmed : identity::UserStatus::kForceChangePassword;
  user.password_until.reset();
  if (!permanent) {
    int days = 7;
    if (pool.value.policies && pool.value.policies->password_policy) days = pool.value.policies->password_policy->temporary_password_validity_days.value_or(days);
    user.password_until = now + std::chrono::hours(24) * days;
  }
  service.save(pool, user);
  co_return Reply<void>();
}

}  // namespace reef::service::cognito
