// What EventBridge serves, and nothing else.
#include "aws/resource.h"
#include "service/eventbridge/eventbridge.h"
#include "service/eventbridge/resources.h"

namespace reef::service {
namespace eventbridge {
namespace {

const aws::ServiceDefinition kEventBridge{
    .model = &aws::eventbridge::kModel,
    .placement = aws::Placement::kControl,
    .operations =
        {
#define EVENTBRIDGE_ROW(Name) aws::serve<operations::Name>(aws::eventbridge::ops::k##Name),
            EVENTBRIDGE_OPERATIONS(EVENTBRIDGE_ROW)
#undef EVENTBRIDGE_ROW
        },
    .resources = {&resources::kRule, &resources::kEventBus, &resources::kEventBusPolicy, &resources::kArchive, &resources::kConnection, &resources::kApiDestination},
};

}  // namespace
}  // namespace eventbridge

std::unique_ptr<aws::Service> make_eventbridge(Parts& parts) {
  return std::make_unique<aws::ServiceOf<eventbridge::EventBridge>>(eventbridge::kEventBridge, parts);
}

}  // namespace reef::service
