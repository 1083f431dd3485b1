#include "service/lambda/vpc.h"

#include <fmt/format.h>

#include "base/random.h"

namespace reef::service::lambda {
namespace {

std::string owner_of(const FunctionName& name) { return fmt::format("lambda/{}/{}/{}", name.account, name.region, name.name); }

}  // namespace

void detach_from_vpc(Lambda& lambda, const FunctionName& name) {
  if (!lambda.networks.maker) return;
  for (const std::string& id : lambda.networks.interfaces_of(owner_of(name))) lambda.networks.maker->release(name.account, name.region, id);
}

Reply<void> attach_to_vpc(Lambda& lambda, const FunctionName& name, model::FunctionConfiguration& config) {
  if (!config.vpc_config || !config.vpc_config->subnet_ids || config.vpc_config->subnet_ids->empty() || !lambda.networks.maker) {
    detach_from_vpc(lambda, name);
    return {};
  }
  const auto before = lambda.networks.interfaces_of(owner_of(name));
  const auto groups = config.vpc_config->security_group_ids.value_or(std::vector<std::string>{});
  if (groups.empty()) return Err(invalid_parameter("SecurityGroupIds are mandatory when SubnetIds are given."));
  std::vector<std::string> made;
  for (const std::string& subnet : *config.vpc_config->subnet_ids) {
    const auto one = lambda.networks.maker->make({.account = name.account, .region = name.region, .subnet = subnet, .groups = groups,
                                                  .description = fmt::format("AWS Lambda VPC ENI-{}-{}", name.name, make_uuid(thread_random())), .type = "lambda",
                                                  .requester = "awslambda", .owner = owner_of(name), .names = {name.name}});
    if (one) {
      made.push_back(one->id);
      config.vpc_config->vpc_id = one->vpc;
      continue;
    }
    for (const std::string& id : made) lambda.networks.maker->release(name.account, name.region, id);
    const std::string& message = one.error().message;
    if (message.starts_with("InvalidSubnetID")) return Err(invalid_parameter(fmt::format("Error occurred while DescribeSubnets. EC2 Error Code: InvalidSubnetID.NotFound. EC2 Error Message: The subnet ID '{}' does not exist", subnet)));
    return Err(invalid_parameter(fmt::format("Error occurred while DescribeSecurityGroups. EC2 Error Code: {}. EC2 Error Message: {}", message.substr(0, message.find(':')), message.substr(message.find(": ") + 2))));
  }
  for (const std::string& id : before) lambda.networks.maker->release(name.account, name.region, id);
  return {};
}

}  // namespace reef::service::lambda
