// A security group's rules: each is one record with an id; requests and DescribeSecurityGroups bundle them by protocol
// and ports into permissions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/ec2/state.h"

namespace reef::service::ec2 {

// By id, or by name in the default VPC.
Reply<model::SecurityGroup> find_group(const Call& call, const std::optional<std::string>& id, const std::optional<std::string>& name);

// The rules that permissions stand for, checked and without ids.
Reply<std::vector<model::SecurityGroupRule>> rules_from(const Call& call, const model::SecurityGroup& group, bool egress,
                                                        const std::vector<model::IpPermission>& permissions);
std::vector<model::IpPermission> permissions_of(const std::vector<model::SecurityGroupRule>& rules, std::string_view group, bool egress);

// Whether they let the same through: ids, descriptions and tags aside.
bool same_rule(const model::SecurityGroupRule& a, const model::SecurityGroupRule& b);

}  // namespace reef::service::ec2
