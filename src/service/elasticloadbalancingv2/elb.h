// Elastic Load Balancing v2: application and network load balancers, their listeners, rules and target groups, as
// records on the control shard; engine/edge/balancer makes them real. ARNs are the engine's names for things.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/caller.h"
#include "aws/models/elasticloadbalancingv2.h"
#include "aws/protocol/codec.h"
#include "aws/service.h"
#include "aws/unmodelled_errors.h"
#include "engine/edge/balancer/balancers.h"
#include "engine/edge/certificates.h"
#include "engine/edge/host_names.h"
#include "engine/edge/sites.h"
#include "engine/network/networks.h"
#include "engine/store/records.h"
#include "engine/store/shard.h"
#include "service/elasticloadbalancingv2/log_delivery.h"
#include "service/elasticloadbalancingv2/sign_in.h"
#include "service/elasticloadbalancingv2/traffic_metrics.h"

namespace reef::service::elb {

namespace model = aws::elasticloadbalancingv2;
namespace errors = aws::elasticloadbalancingv2::errors;
template <class T>
using Reply = aws::Reply<T>;
using aws::Call;

using Attributes = std::map<std::string, std::string, std::less<>>;
using Tags = std::map<std::string, std::string, std::less<>>;

struct Balancer {
  model::LoadBalancer value;
  Attributes attributes;     // those that differ from the defaults
  Tags tags;
  std::string address;       // its own loopback address
  std::vector<std::string> interfaces;  // ids, one for each subnet
  const std::string& arn() const { return *value.load_balancer_arn; }
  bool is_application() const { return value.type == "application"; }
};
struct Listener {
  model::Listener value;
  std::vector<std::string> more_certificates;   // besides the default one
  Attributes attributes;
  Tags tags;
  const std::string& arn() const { return *value.listener_arn; }
};
struct Rule {
  model::Rule value;
  std::string listener;
  Tags tags;
  const std::string& arn() const { return *value.rule_arn; }
};
struct RegisteredTarget {
  std::string id, zone;
  int port = 0;
};
struct Group {
  model::TargetGroup value;
  Attributes attributes;
  Tags tags;
  std::vector<RegisteredTarget> targets;
  const std::string& arn() const { return *value.target_group_arn; }
};
struct Revocation {
  std::string text;          // PEM
  int entries = 0;
};
struct TrustStore {
  model::TrustStore value;
  std::map<std::int64_t, Revocation> revocations;
  std::string bundle;        // PEM
  Tags tags;
};

template <class T>
using ByArn = std::map<std::string, T, std::less<>>;

struct Elb {
  explicit Elb(Parts& parts);
  void start();
  void reset();

  // --- lookups; an error says which ones are missing, as AWS does ---
  Reply<Balancer*> balancer(std::string_view arn);
  Reply<Listener*> listener(std::string_view arn);
  Reply<Rule*> rule(std::string_view arn);
  Reply<Group*> group(std::string_view arn);
  Reply<TrustStore*> trust_store(std::string_view arn);
  Balancer* balancer_named(const Call& call, std::string_view name);
  Group* group_named(const Call& call, std::string_view name);
  std::vector<Listener*> listeners_of(std::string_view balancer_arn);
  // In order of priority, without the default.
  std::vector<Rule*> rules_of(std::string_view listener_arn);
  // The listeners that verify clients by the trust store.
  std::vector<std::string> listeners_trusting(std::string_view trust_store_arn) const;
  // The load balancers whose listeners or rules forward to the group.
  std::vector<std::string> balancers_using(std::string_view group_arn);

  // --- durable state; `co_await committed()` after it ---
  void save(const Balancer& balancer);
  void save(const Listener& listener);
  void save(const Rule& rule);
  void save(const Group& group);
  void save(const TrustStore& store);
  void erase(std::string_view arn);
  auto committed() { return store::Shard::control().committed(); }

  // --- the data plane ---
  // Puts a listener with all its rules into force; an error when its port cannot be taken or its certificate is missing.
  Task<Reply<void>> apply(std::string listener_arn);
  Task<void> apply_group(std::string group_arn);
  // A new certificate under the same ARN, or a trust store's new bundle: the listeners that use it are made anew.
  Task<void> apply_all_of(std::string balancer_arn);
  std::string address_for(std::string_view arn) const;
  void publish_name(const Balancer& balancer);
  void withdraw_name(const Balancer& balancer);
  // Tells the names of the balancers that use the group whether they have healthy targets, for aliases that look at it.
  void update_name_health(const std::string& group_arn);
  // Tells the certificates whom they serve.
  void update_uses(const std::string& balancer_arn);
  // Gives a balancer an interface in each of its subnets, instead of those that it had.
  Reply<void> attach(Balancer& balancer);
  void detach(Balancer& balancer);
  // Tells the network engine who listens at the balancer's address and whose interfaces those are.
  void tell_network(const Balancer& balancer);
  // Where a target is reached: of an instance, its address.
  Task<std::vector<edge::TargetSpec>> resolve(const Group& group, std::vector<RegisteredTarget> targets);

  aws::Caller& caller;
  edge::Balancers& balancers_engine;
  edge::Certificates& certificates;
  edge::HostNames& names;
  network::Networks& networks;
  edge::Sites& sites;
  edge::IdentityClients& identity_clients;
  TrafficMetrics traffic_metrics;
  SignInKeyring keyring;
  LogDelivery log_delivery;

  ByArn<Balancer> balancers;
  ByArn<Listener> listeners;
  ByArn<Rule> rules;
  ByArn<Group> groups;
  ByArn<TrustStore> trust_stores;
};

// "arn:aws:elasticloadbalancing:<region>:<account>:loadbalancer/app/<name>/<id>" and the parts of it.
std::string region_of(std::string_view arn);
std::string account_of(std::string_view arn);
std::string resource_of(std::string_view arn);   // "app/<name>/<id>"
std::string make_id();                            // 16 hexadecimal digits

// --- attributes ---
// All of a resource with their defaults, in AWS's order, with what was set.
std::vector<std::pair<std::string, std::string>> attributes_of(const Balancer& balancer);
std::vector<std::pair<std::string, std::string>> attributes_of(const Listener& listener);
std::vector<std::pair<std::string, std::string>> attributes_of(const Group& group);
std::string attribute(const Balancer& balancer, std::string_view key);
std::string attribute(const Listener& listener, std::string_view key);
std::string attribute(const Group& group, std::string_view key);
// Checks and sets; the error names the key.
Reply<void> set_attribute(Balancer& balancer, const std::string& key, const std::string& value);
Reply<void> set_attribute(Listener& listener, const std::string& key, const std::string& value);
Reply<void> set_attribute(Group& group, const std::string& key, const std::string& value);

// --- rules ---
// What a client may send as conditions and actions; the first thing wrong is the error.
Reply<edge::RuleConditions> read_conditions(const std::vector<model::RuleCondition>& conditions);
// `rule` is its ARN, or the listener's for the default rule.
Reply<edge::RuleActions> read_actions(Elb& elb, const std::vector<model::Action>& actions, const Listener& listener, std::string_view rule);
// Parts of the above.
Reply<edge::RuleExpressions> read_expressions(const std::vector<std::string>& texts, std::string_view field);
Reply<std::shared_ptr<const edge::TokenCheck>> read_token_check(const model::JwtValidationActionConfig& config);
// Null when there are none.
Reply<std::shared_ptr<const edge::Rewrites>> read_transforms(const std::optional<std::vector<model::RuleTransform>>& transforms);
// As AWS gives them back: with both the short and the full form of a forward, and orders.
std::vector<model::Action> shown_actions(const std::vector<model::Action>& actions);
std::vector<model::RuleCondition> shown_conditions(const std::vector<model::RuleCondition>& conditions);
edge::GroupSettings group_settings(const Group& group);

// --- TLS ---
struct TlsPolicy {
  std::string_view name;
  std::vector<std::string_view> protocols;   // "TLSv1.2"
  std::vector<std::string_view> ciphers;     // OpenSSL's names
};
const std::vector<TlsPolicy>& tls_policies();
const TlsPolicy* find_policy(std::string_view name);

// Calls a function target: the event and its reply as of a load balancer.
// https://docs.aws.amazon.com/lambda/latest/dg/services-alb.html
Task<http::Response> call_function(aws::Caller& caller, std::shared_ptr<const edge::GroupSettings> group, http::Request& request, std::string client_ip);

}  // namespace reef::service::elb
