// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-connection.html, -apidestination
#include "aws/loose_values.h"
#include "aws/models/eventbridge.h"
#include "service/eventbridge/resources.h"

namespace reef::service::eventbridge::resources {
namespace {

using aws::OnChange;
using aws::ResourceContext;
using aws::ResourceState;
using wire::Json;

std::string destination_name(const ResourceContext& context, const Json& properties) {
  const std::string& given = properties.text("Name");
  return given.empty() ? context.generated_name(64) : given;
}

// Both types have the properties of their operations; `arn` is the member of the reply that has it.
Task<aws::Reply<ResourceState>> put_named(const ResourceContext& context, std::string_view operation, const char* arn, std::string name, Json properties) {
  properties.set("Name", name);
  const Json out = CO_TRY(co_await aws::call_operation(context, "eventbridge", operation, aws::fit_to_operation(aws::eventbridge::kModel, operation, std::move(properties))));
  const std::string whole = out.text(arn);
  co_return ResourceState{.physical_id = name, .attributes = Json::object({{"Arn", whole}, {"ArnForPolicy", whole.substr(0, whole.rfind('/'))}})};
}

Task<aws::Reply<ResourceState>> create_connection(const ResourceContext& context, const Json& properties) {
  return put_named(context, "CreateConnection", "ConnectionArn", destination_name(context, properties), properties);
}
Task<aws::Reply<ResourceState>> update_connection(const ResourceContext& context, const ResourceState& current, const Json&, const Json& after) {
  return put_named(context, "UpdateConnection", "ConnectionArn", current.physical_id, after);
}
Task<aws::Reply<void>> remove_connection(const ResourceContext& context, const ResourceState& current, const Json&) {
  return aws::call_unless_gone(context, "eventbridge", "DeleteConnection", Json::object({{"Name", current.physical_id}}), "ResourceNotFoundException");
}
Task<aws::Reply<ResourceState>> create_destination(const ResourceContext& context, const Json& properties) {
  return put_named(context, "CreateApiDestination", "ApiDestinationArn", destination_name(context, properties), properties);
}
Task<aws::Reply<ResourceState>> update_destination(const ResourceContext& context, const ResourceState& current, const Json&, const Json& after) {
  return put_named(context, "UpdateApiDestination", "ApiDestinationArn", current.physical_id, after);
}
Task<aws::Reply<void>> remove_destination(const ResourceContext& context, const ResourceState& current, const Json&) {
  return aws::call_unless_gone(context, "eventbridge", "DeleteApiDestination", Json::object({{"Name", current.physical_id}}), "ResourceNotFoundException");
}

}  // namespace

const aws::ResourceType kConnection{.name = "AWS::Events::Connection",
                                    .properties = {{"AuthorizationType"}, {"AuthParameters"}, {"Description"}, {"InvocationConnectivityParameters"}, {"KmsKeyIdentifier"},
                                                   {"Name", OnChange::kReplace}},
                                    .create = create_connection, .identify = destination_name, .update = update_connection, .remove = remove_connection};
const aws::ResourceType kApiDestination{.name = "AWS::Events::ApiDestination",
                                        .properties = {{"ConnectionArn", OnChange::kUpdate, true}, {"Description"}, {"HttpMethod", OnChange::kUpdate, true},
                                                       {"InvocationEndpoint", OnChange::kUpdate, true}, {"InvocationRateLimitPerSecond"}, {"Name", OnChange::kReplace}},
                                        .create = create_destination, .identify = destination_name, .update = update_destination, .remove = remove_destination};

}  // namespace reef::service::eventbridge::resources
