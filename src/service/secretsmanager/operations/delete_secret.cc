// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_DeleteSecret.html, RestoreSecret, UpdateSecretVersionStage
#include <fmt/format.h>

#include "service/secretsmanager/operations.h"

namespace reef::service::secretsmanager::operations {

Task<Reply<model::DeleteSecretOutput>> DeleteSecret(SecretsManager&, const model::DeleteSecretInput& in, const Call& call) {
  const bool force = in.force_delete_without_recovery.value_or(false);
  if (force && in.recovery_window_in_days) co_return Err(invalid_parameter("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays."));
  const std::int64_t days = in.recovery_window_in_days.value_or(30);
  if (days < 7 || days > 30) co_return Err(invalid_parameter("The RecoveryWindowInDays value must be between 7 and 30 days (inclusive)."));
  model::DeleteSecretOutput out;
  auto found = find_secret(call, in.secret_id);
  if (!found) {
    if (!force) co_return Err(not_found());
    // Deleting by force what is not there succeeds.
    out.name = in.secret_id;
    out.arn = in.secret_id.starts_with("arn:") ? in.secret_id : call.arn("secretsmanager", fmt::format("secret:{}", in.secret_id));
    out.deletion_date = call.now;
    co_return out;
  }
  Secret secret = *std::move(found);
  if (secret.deleted && !force) co_return Err(invalid_request("You can't perform this operation on the secret because it was already scheduled for deletion."));
  out.arn = secret.arn;
  out.name = secret.name;
  if (force) {
    out.deletion_date = call.now;
    erase(secret);
  } else {
    secret.deleted = call.now;
    secret.gone_at = call.now + std::chrono::hours(24 * days);
    out.deletion_date = secret.gone_at;
    save(secret);
  }
  co_await committed();
  co_return out;
}

Task<Reply<model::RestoreSecretOutput>> RestoreSecret(SecretsManager&, const model::RestoreSecretInput& in, const Call& call) {
  Secret secret = CO_TRY(need_secret(call, in.secret_id, true));
  secret.deleted.reset();
  secret.gone_at.reset();
  save(secret);
  co_await committed();
  model::RestoreSecretOutput out;
  out.arn = secret.arn;
  out.name = secret.name;
  co_return out;
}

Task<Reply<model::UpdateSecretVersionStageOutput>> UpdateSecretVersionStage(SecretsManager&, const model::UpdateSecretVersionStageInput& in, const Call& call) {
  Secret secret = CO_TRY(need_secret(call, in.secret_id));
  if (!in.move_to_version_id && !in.remove_from_version_id)
    co_return Err(invalid_parameter("You must specify at least one of the parameters MoveToVersionId and RemoveFromVersionId."));
  Version* from = in.remove_from_version_id ? secret.version(*in.remove_from_version_id) : nullptr;
  Version* to = in.move_to_version_id ? secret.version(*in.move_to_version_id) : nullptr;
  if (in.remove_from_version_id && !from) co_return Err(invalid_parameter(fmt::format("Not a valid version: {}", *in.remove_from_version_id)));
  if (in.move_to_version_id && !to) co_return Err(invalid_parameter(fmt::format("Not a valid version: {}", *in.move_to_version_id)));
  if (from && !from->has(in.version_stage))
    co_return Err(invalid_parameter(fmt::format("Version {} does not have staging label {} attached to it.", from->id, in.version_stage)));
  const Version* holder = secret.staged(in.version_stage);
  if (to && holder && holder != to && !from)
    co_return Err(invalid_parameter(fmt::format("The parameter RemoveFromVersionId can't be empty. Staging label {0} is currently attached to version {1}, so you must "
                                                "explicitly reference that version in RemoveFromVersionId.", in.version_stage, holder->id)));
  if (!to && in.version_stage == kCurrent)
    co_return Err(invalid_parameter("You can only move staging label AWSCURRENT to a different secret version. It can't be completely removed."));
  if (to && in.version_stage == kCurrent) secret.make_current(*to);
  else secret.move_stage(in.version_stage, to);
  secret.changed = call.now;
  save(secret);
  co_await committed();
  model::UpdateSecretVersionStageOutput out;
  out.arn = secret.arn;
  out.name = secret.name;
  co_return out;
}

}  // namespace reef::service::secretsmanager::operations
