// What Secrets Manager serves, and nothing else.
#include "aws/resource.h"
#include "service/secretsmanager/operations.h"
#include "service/secretsmanager/resources.h"

namespace reef::service {
namespace secretsmanager {
namespace {

const aws::ServiceDefinition kSecretsManager{
    .model = &aws::secretsmanager::kModel,
    .placement = aws::Placement::kControl,
    .operations =
        {
#define SECRETS_ROW(Name) aws::serve<operations::Name>(aws::secretsmanager::ops::k##Name),
            SECRETS_OPERATIONS(SECRETS_ROW)
#undef SECRETS_ROW
        },
    .resources = {&resources::kSecret, &resources::kRotationSchedule, &resources::kResourcePolicy, &resources::kSecretTargetAttachment},
};

}  // namespace
}  // namespace secretsmanager

std::unique_ptr<aws::Service> make_secretsmanager(Parts& parts) {
  return std::make_unique<aws::ServiceOf<secretsmanager::SecretsManager>>(secretsmanager::kSecretsManager, parts);
}

}  // namespace reef::service
