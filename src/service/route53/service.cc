// What Route 53 serves.
#include "aws/resource.h"
#include "service/route53/route53.h"

namespace reef::service {
namespace route53 {
namespace {

const aws::ServiceDefinition kRoute53{
    .model = &aws::route53::kModel,
    .placement = aws::Placement::kControl,
    .operations =
        {
#define ROUTE53_ROW(Name) aws::serve<operations::Name>(aws::route53::ops::k##Name),
            ROUTE53_OPERATIONS(ROUTE53_ROW)
#undef ROUTE53_ROW
        },
    .resources = {&resources::kHostedZone, &resources::kRecordSet, &resources::kRecordSetGroup, &resources::kHealthCheck},
};

}  // namespace
}  // namespace route53

std::unique_ptr<aws::Service> make_route53(Parts& parts) { return std::make_unique<aws::ServiceOf<route53::Route53>>(route53::kRoute53, parts); }

}  // namespace reef::service
