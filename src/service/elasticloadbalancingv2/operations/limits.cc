// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeSSLPolicies.html
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DescribeAccountLimits.html
#include "service/elasticloadbalancingv2/operations.h"

namespace reef::service::elb::operations {

Task<Reply<model::DescribeSSLPoliciesOutput>> DescribeSSLPolicies(Elb&, const model::DescribeSSLPoliciesInput& in, const Call&) {
  std::vector<model::SslPolicy> all;
  const auto add = [&](const TlsPolicy& policy) {
    auto& shown = all.emplace_back();
    shown.name = std::string(policy.name);
    shown.ssl_protocols = std::vector<std::string>(policy.protocols.begin(), policy.protocols.end());
    shown.supported_load_balancer_types = {"application", "network"};
    shown.ciphers.emplace();
    int priority = 0;
    for (const std::string_view cipher : policy.ciphers) shown.ciphers->push_back({.name = std::string(cipher), .priority = ++priority});
  };
  if (in.names) {
    for (const std::string& name : *in.names) {
      const TlsPolicy* policy = find_policy(name);
      if (!policy) co_return Err(aws::Error(errors::kSSLPolicyNotFoundException, fmt::format("SSL policy '{}' not found", name)));
      add(*policy);
    }
  } else {
    for (const TlsPolicy& policy : tls_policies()) add(policy);
  }
  model::DescribeSSLPoliciesOutput out;
  CO_TRY(paginate(in, all, out.ssl_policies, out));
  co_return out;
}

Task<Reply<model::DescribeAccountLimitsOutput>> DescribeAccountLimits(Elb&, const model::DescribeAccountLimitsInput& in, const Call&) {
  const std::vector<model::Limit> all = {
      {"target-groups", "3000"}, {"targets-per-application-load-balancer", "1000"}, {"targets-per-target-group", "1000"}, {"listeners-per-application-load-balancer", "50"},
      {"rules-per-application-load-balancer", "100"}, {"network-load-balancers", "50"}, {"targets-per-network-load-balancer", "3000"},
      {"targets-per-availability-zone-per-network-load-balancer", "500"}, {"listeners-per-network-load-balancer", "50"}, {"condition-values-per-alb-rule", "5"},
      {"condition-wildcards-per-alb-rule", "6"}, {"target-groups-per-action-on-application-load-balancer", "5"}, {"target-groups-per-action-on-network-load-balancer", "1"},
      {"certificates-per-application-load-balancer", "25"}, {"certificates-per-network-load-balancer", "25"}, {"target-id-registrations-per-application-load-balancer", "1000"},
      {"application-load-balancers", "50"}};
  model::DescribeAccountLimitsOutput out;
  CO_TRY(paginate(in, all, out.limits, out));
  co_return out;
}

}  // namespace reef::service::elb::operations
