// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html, CancelRotateSecret
#include <fmt/format.h>

#include "base/random.h"
#include "service/secretsmanager/operations.h"

namespace reef::service::secretsmanager::operations {

Task<Reply<model::RotateSecretOutput>> RotateSecret(SecretsManager& service, const model::RotateSecretInput& in, const Call& call) {
  CO_TRY(need_secret(call, in.secret_id));
  if (in.external_secret_rotation_metadata || in.external_secret_rotation_role_arn) co_return Err(aws::not_implemented("Rotation of managed external secrets"));
  if (in.rotation_rules) CO_TRY(check_rules(*in.rotation_rules));
  if (in.rotation_lambda_arn) CO_TRY(co_await service.rotation.check_function(call, *in.rotation_lambda_arn));
  Secret secret = CO_TRY(need_secret(call, in.secret_id));  // it may have changed while the function was looked for
  if (in.rotation_lambda_arn) secret.rotation_function = *in.rotation_lambda_arn;
  if (secret.rotation_function.empty()) co_return Err(invalid_request("No Lambda rotation function ARN is associated with this secret."));
  const std::string token = in.client_request_token.value_or(make_uuid(thread_random()));
  const bool at_once = in.rotate_immediately.value_or(true);
  const Version* pending = secret.staged(kPending);
  if (at_once && pending && !pending->has(kCurrent) && pending->id != token && secret.rotating == pending->id)
    co_return Err(invalid_request("A previous rotation isn't complete. That rotation will be reattempted."));
  secret.rotates = true;
  if (in.rotation_rules) secret.rules = in.rotation_rules;
  if (secret.rules) secret.next_rotation = next_rotation(*secret.rules, call.now, call.now);
  secret.changed = call.now;
  model::RotateSecretOutput out;
  out.arn = secret.arn;
  out.name = secret.name;
  if (at_once) {
    out.version_id = token;
    service.rotation.begin(secret, token, call.now);
  } else if (secret.rotating.empty() && (!pending || pending->has(kCurrent)) && !secret.version(token)) {
    out.version_id = token;
    service.rotation.begin_test(secret, token, call.now);
  } else {
    save(secret);  // a version is pending: nothing is to be tried on it
  }
  co_await committed();
  co_return out;
}

Task<Reply<model::CancelRotateSecretOutput>> CancelRotateSecret(SecretsManager&, const model::CancelRotateSecretInput& in, const Call& call) {
  Secret secret = CO_TRY(need_secret(call, in.secret_id));
  if (secret.rotation_function.empty()) co_return Err(invalid_request("You can't cancel rotation of a secret that isn't configured for rotation."));
  secret.rotates = false;
  secret.next_rotation.reset();
  model::CancelRotateSecretOutput out;
  if (!secret.rotating.empty()) out.version_id = secret.rotating;
  secret.rotating.clear();
  save(secret);
  co_await committed();
  out.arn = secret.arn;
  out.name = secret.name;
  co_return out;
}

}  // namespace reef::service::secretsmanager::operations
