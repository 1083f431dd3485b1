// What CloudWatch serves, and nothing else.
#include "aws/resource.h"
#include "service/cloudwatch/operations.h"
#include "service/cloudwatch/resources.h"

namespace reef::service {
namespace cloudwatch {
namespace {

const aws::ServiceDefinition kCloudwatch{
    .model = &aws::cloudwatch::kModel,
    .placement = aws::Placement::kControl,
    .operations =
        {
#define CLOUDWATCH_ROW(Name) aws::serve<operations::Name>(aws::cloudwatch::ops::k##Name),
            CLOUDWATCH_OPERATIONS(CLOUDWATCH_ROW)
#undef CLOUDWATCH_ROW
        },
    .resources = {&resources::kAlarm, &resources::kCompositeAlarm, &resources::kDashboard},
};

}  // namespace
}  // namespace cloudwatch

std::unique_ptr<aws::Service> make_cloudwatch(Parts& parts) {
  return std::make_unique<aws::ServiceOf<cloudwatch::Cloudwatch>>(cloudwatch::kCloudwatch, parts);
}

}  // namespace reef::service
