// How services get network interfaces for what they run: tasks, balancers, functions. Whoever keeps interfaces as records
// implements it; without one there are none, and nothing is enforced. Control shard only.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "engine/network/view.h"

namespace reef::network {

struct InterfaceRequest {
  std::string account, region, subnet;
  std::vector<std::string> groups;
  bool wants_groups = true;          // without any given: the VPC's default group
  std::string description, type = "interface", requester;  // as DescribeNetworkInterfaces shows them
  std::string owner;                 // see InterfaceSpec
  std::vector<std::string> names;
};

class InterfaceMaker {
 public:
  virtual ~InterfaceMaker() = default;
  // A Failure in AWS's words when the subnet or a group is not there or the subnet is full.
  virtual Result<InterfaceSpec, Failure> make(const InterfaceRequest& request) = 0;
  // Unknown ones are passed over.
  virtual void release(const std::string& account, const std::string& region, const std::string& id) = 0;
  virtual Result<void, Failure> set_groups(const std::string& account, const std::string& region, const std::string& id, const std::vector<std::string>& groups) = 0;
};

}  // namespace reef::network
