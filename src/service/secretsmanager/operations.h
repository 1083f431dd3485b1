// The operations that Secrets Manager serves.
#pragma once

#include "service/secretsmanager/rotation.h"

namespace reef::service::secretsmanager {

struct SecretsManager {
  explicit SecretsManager(Parts& parts) : rotation(parts.get<aws::Caller>(), parts.get<delivery::Deliveries>()) {}
  void start() { rotation.start(); }
  void stop() { rotation.stop(); }
  Rotation rotation;
};

namespace operations {

#define SECRETS_OPERATIONS(V)                                                                                                \
  V(CreateSecret) V(GetSecretValue) V(BatchGetSecretValue) V(PutSecretValue) V(UpdateSecret) V(UpdateSecretVersionStage)      \
  V(DescribeSecret) V(ListSecrets) V(ListSecretVersionIds) V(DeleteSecret) V(RestoreSecret) V(RotateSecret)                   \
  V(CancelRotateSecret) V(GetRandomPassword) V(PutResourcePolicy) V(GetResourcePolicy) V(DeleteResourcePolicy)                \
  V(ValidateResourcePolicy) V(TagResource) V(UntagResource)
#define SECRETS_OPERATION(Name) Task<Reply<model::Name##Output>> Name(SecretsManager& service, const model::Name##Input& in, const Call& call);
SECRETS_OPERATIONS(SECRETS_OPERATION)
#undef SECRETS_OPERATION

}  // namespace operations
}  // namespace reef::service::secretsmanager
