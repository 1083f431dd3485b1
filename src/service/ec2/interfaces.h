// Network interfaces: made by users through the API, and for tasks, balancers and functions through the network engine.
#pragma once

#include <string>
#include <vector>

#include "service/ec2/state.h"

namespace reef::service::ec2 {

struct NewInterface {
  std::string subnet, address, description, type = "interface", requester;  // no address: a free one of the subnet
  std::vector<std::string> groups;
  bool wants_groups = true;  // the VPC's default group when none is given
  Tags tags;
};
Reply<model::NetworkInterface> make_interface(network::Networks& networks, const Call& call, const NewInterface& wanted);

// The groups as an interface shows them; an error for one that is missing or of another VPC.
Reply<std::vector<model::GroupIdentifier>> group_identifiers(const Call& call, const std::string& vpc, const std::vector<std::string>& ids);
// Of the VPC.
std::string default_group(const Call& call, std::string_view vpc);
// Whether some interface is in the subnet, or has the group.
bool has_interfaces(const Call& call, std::string_view subnet);
bool is_group_used(const Call& call, std::string_view group);

}  // namespace reef::service::ec2
