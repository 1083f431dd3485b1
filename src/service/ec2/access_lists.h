// Network access lists: each VPC has a default one, each subnet is associated with exactly one.
#pragma once

#include <string>

#include "service/ec2/state.h"

namespace reef::service::ec2 {

// With the entries that every new one has: the default lets everything through, others nothing.
model::NetworkAcl make_access_list(const Call& call, const std::string& vpc, bool is_default);
// Takes the subnet from the list that it has; gives the new association's id.
std::string associate(const Call& call, const std::string& subnet, const std::string& list);
// With the VPC's default list.
void associate_by_default(const Call& call, const std::string& vpc, const std::string& subnet);
// A subnet that goes.
void dissociate(const Call& call, std::string_view subnet);
// Those of a VPC; the default one first.
std::vector<model::NetworkAcl> access_lists_of(const Call& call, std::string_view vpc);

}  // namespace reef::service::ec2
