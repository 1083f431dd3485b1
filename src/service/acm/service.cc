// What ACM serves.
#include "aws/resource.h"
#include "service/acm/acm.h"

namespace reef::service {
namespace acm {
namespace {

const aws::ServiceDefinition kAcm{
    .model = &aws::acm::kModel,
    .placement = aws::Placement::kControl,
    .operations =
        {
#define ACM_ROW(Name) aws::serve<operations::Name>(aws::acm::ops::k##Name),
            ACM_OPERATIONS(ACM_ROW)
#undef ACM_ROW
        },
    .resources = {&resources::kCertificate},
};

}  // namespace
}  // namespace acm

std::unique_ptr<aws::Service> make_acm(Parts& parts) { return std::make_unique<aws::ServiceOf<acm::Acm>>(acm::kAcm, parts); }

}  // namespace reef::service
