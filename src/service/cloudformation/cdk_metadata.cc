// AWS::CDK::Metadata: every template that the CDK writes has one. It makes nothing.
// https://docs.aws.amazon.com/cdk/v2/guide/usage-data.html
#include "base/random.h"
#include "service/cloudformation/resources.h"

namespace reef::cloudformation::resources {
namespace {

Task<aws::Reply<aws::ResourceState>> create_metadata(const aws::ResourceContext&, const wire::Json&) {
  co_return aws::ResourceState{.physical_id = make_uuid(thread_random()), .attributes = wire::Json::object()};
}

Task<aws::Reply<aws::ResourceState>> update_metadata(const aws::ResourceContext&, const aws::ResourceState& current, const wire::Json&, const wire::Json&) {
  co_return current;
}

Task<aws::Reply<void>> remove_metadata(const aws::ResourceContext&, const aws::ResourceState&, const wire::Json&) { co_return aws::Reply<void>{}; }

}  // namespace

const aws::ResourceType kCdkMetadata{
    .name = "AWS::CDK::Metadata",
    .properties = {{"Analytics", aws::OnChange::kUpdate}, {"Modules", aws::OnChange::kUpdate}},
    .create = create_metadata,
    .update = update_metadata,
    .remove = remove_metadata,
};

}  // namespace reef::cloudformation::resources
