// What Elastic Load Balancing v2 serves, and nothing else.
#include "aws/resource.h"
#include "service/elasticloadbalancingv2/operations.h"
#include "service/elasticloadbalancingv2/resources.h"

namespace reef::service {
namespace elb {
namespace {

const aws::ServiceDefinition kElb{
    .model = &aws::elasticloadbalancingv2::kModel,
    .placement = aws::Placement::kControl,
    .operations =
        {
#define ELB_ROW(Name) aws::serve<operations::Name>(aws::elasticloadbalancingv2::ops::k##Name),
            ELB_OPERATIONS(ELB_ROW)
#undef ELB_ROW
        },
    .resources = {&resources::kLoadBalancer, &resources::kListener, &resources::kListenerRule, &resources::kTargetGroup, &resources::kListenerCertificate,
                  &resources::kTrustStore, &resources::kTrustStoreRevocation},
};

}  // namespace
}  // namespace elb

std::unique_ptr<aws::Service> make_elasticloadbalancingv2(Parts& parts) { return std::make_unique<aws::ServiceOf<elb::Elb>>(elb::kElb, parts); }

}  // namespace reef::service
