// What CloudWatch Logs serves, and nothing else.
#include "aws/resource.h"
#include "service/logs/logs.h"
#include "service/logs/resources.h"

namespace reef::service {
namespace logs {
namespace {

const aws::ServiceDefinition kLogs{
    .model = &aws::logs::kModel,
    .placement = aws::Placement::kControl,
    .operations =
        {
#define LOGS_ROW(Name) aws::serve<operations::Name>(aws::logs::ops::k##Name),
            LOGS_OPERATIONS(LOGS_ROW)
#undef LOGS_ROW
        },
    .resources = {&resources::kLogGroup, &resources::kLogStream},
};

}  // namespace
}  // namespace logs

std::unique_ptr<aws::Service> make_logs(Parts& parts) { return std::make_unique<aws::ServiceOf<logs::LogsService>>(logs::kLogs, parts); }

}  // namespace reef::service
