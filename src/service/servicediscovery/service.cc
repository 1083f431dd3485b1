// What Cloud Map serves.
#include "aws/resource.h"
#include "service/servicediscovery/cloud_map.h"

namespace reef::service {
namespace servicediscovery {
namespace {

const aws::ServiceDefinition kCloudMap{
    .model = &aws::servicediscovery::kModel,
    .placement = aws::Placement::kControl,
    .operations =
        {
#define CLOUD_MAP_ROW(Name) aws::serve<operations::Name>(aws::servicediscovery::ops::k##Name),
            CLOUD_MAP_OPERATIONS(CLOUD_MAP_ROW)
#undef CLOUD_MAP_ROW
        },
    .resources = {&resources::kPrivateDnsNamespace, &resources::kPublicDnsNamespace, &resources::kHttpNamespace, &resources::kService, &resources::kInstance},
};

}  // namespace
}  // namespace servicediscovery

std::unique_ptr<aws::Service> make_servicediscovery(Parts& parts) {
  return std::make_unique<aws::ServiceOf<servicediscovery::CloudMap>>(servicediscovery::kCloudMap, parts);
}

}  // namespace reef::service
