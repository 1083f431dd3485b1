// What user pools serve, and nothing else.
#include "aws/resource.h"
#include "service/cognitoidp/operations.h"
#include "service/cognitoidp/resources.h"

namespace reef::service {
namespace cognito {
namespace {

const aws::ServiceDefinition kCognito{
    .model = &aws::cognitoidp::kModel,
    .placement = aws::Placement::kControl,
    .operations =
        {
#define COGNITO_ROW(Name) aws::serve<operations::Name>(aws::cognitoidp::ops::k##Name),
            COGNITO_OPERATIONS(COGNITO_ROW)
#undef COGNITO_ROW
        },
    .resources = {&resources::kUserPool, &resources::kUserPoolClient, &resources::kUserPoolDomain, &resources::kUserPoolGroup, &resources::kUserPoolResourceServer,
                  &resources::kUserPoolUser, &resources::kUserPoolUserToGroupAttachment},
};

}  // namespace
}  // namespace cognito

std::unique_ptr<aws::Service> make_cognitoidp(Parts& parts) { return std::make_unique<aws::ServiceOf<cognito::Cognito>>(cognito::kCognito, parts); }

}  // namespace reef::service
