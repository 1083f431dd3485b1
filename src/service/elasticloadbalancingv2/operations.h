// The handlers of Elastic Load Balancing; each file under operations/ serves one kind of thing.
#pragma once

#include <fmt/format.h>

#include "service/elasticloadbalancingv2/elb.h"

namespace reef::service::elb::operations {

#define ELB_OPERATIONS(V)                                                                                             \
  V(CreateLoadBalancer) V(DescribeLoadBalancers) V(DeleteLoadBalancer) V(DescribeLoadBalancerAttributes)              \
  V(ModifyLoadBalancerAttributes) V(SetIpAddressType) V(SetSecurityGroups) V(SetSubnets)                              \
  V(CreateListener) V(DescribeListeners) V(ModifyListener) V(DeleteListener) V(DescribeListenerAttributes)            \
  V(ModifyListenerAttributes) V(AddListenerCertificates) V(RemoveListenerCertificates) V(DescribeListenerCertificates) \
  V(CreateRule) V(DescribeRules) V(ModifyRule) V(DeleteRule) V(SetRulePriorities)                                     \
  V(CreateTargetGroup) V(DescribeTargetGroups) V(ModifyTargetGroup) V(DeleteTargetGroup)                              \
  V(DescribeTargetGroupAttributes) V(ModifyTargetGroupAttributes) V(RegisterTargets) V(DeregisterTargets)             \
  V(DescribeTargetHealth) V(AddTags) V(RemoveTags) V(DescribeTags) V(DescribeSSLPolicies) V(DescribeAccountLimits)    \
  V(CreateTrustStore) V(DescribeTrustStores) V(ModifyTrustStore) V(DeleteTrustStore) V(DescribeTrustStoreAssociations) \
  V(DescribeCapacityReservation) V(AddTrustStoreRevocations) V(RemoveTrustStoreRevocations)                          \
  V(DescribeTrustStoreRevocations) V(GetTrustStoreRevocationContent) V(GetTrustStoreCaCertificatesBundle)
#define ELB_OPERATION(Name) Task<Reply<model::Name##Output>> Name(Elb& elb, const model::Name##Input& in, const Call& call);
ELB_OPERATIONS(ELB_OPERATION)
#undef ELB_OPERATION

// Cuts a sorted list to the page that Marker and PageSize ask for. The marker is the index that follows.
template <class In, class T, class Out>
Reply<void> paginate(const In& in, const std::vector<T>& all, std::optional<std::vector<T>>& page, Out& out) {
  std::size_t from = 0;
  if (in.marker) {
    const auto at = parse_int<std::size_t>(*in.marker);
    if (!at || *at > all.size()) return Err(aws::validation_error("The marker is not valid"));
    from = *at;
  }
  const std::size_t to = std::min(all.size(), from + static_cast<std::size_t>(in.page_size.value_or(400)));
  page.emplace(all.begin() + static_cast<std::ptrdiff_t>(from), all.begin() + static_cast<std::ptrdiff_t>(to));
  if (to < all.size()) out.next_marker = std::to_string(to);
  return {};
}

// An object of S3, read as any client reads it.
Task<Result<std::string, Failure>> read_object(Elb& elb, const Call& call, std::string bucket, std::string key, std::optional<std::string> version, std::uint64_t bytes_max);

// The Tags member of a request as a map; duplicates are refused as AWS does.
Reply<Tags> read_tags(const std::optional<std::vector<model::Tag>>& tags);

template <class Out, class T>
std::vector<Out> list_attributes(const T& of) {
  std::vector<Out> out;
  for (const auto& [key, value] : attributes_of(of)) out.push_back({.key = key, .value = value});
  return out;
}

// The group as it is shown: with the load balancers that use it.
model::TargetGroup shown(Elb& elb, const Group& group);
model::Listener shown(const Listener& listener);
model::Rule shown(const Rule& rule);
model::Rule default_rule(const Listener& listener);

}  // namespace reef::service::elb::operations
