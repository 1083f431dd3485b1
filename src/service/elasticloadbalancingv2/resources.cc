// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/AWS_ElasticLoadBalancingV2.html
#include "service/elasticloadbalancingv2/resources.h"

#include <algorithm>

#include "aws/loose_values.h"
#include "aws/models/elasticloadbalancingv2.h"
#include "base/text.h"

namespace reef::service::elb::resources {
namespace {

using aws::OnChange;
using aws::ResourceContext;
using aws::ResourceState;
using wire::Json;

constexpr OnChange kReplace = OnChange::kReplace;

Task<aws::Reply<Json>> call(const ResourceContext& context, std::string_view operation, Json input) {
  return aws::call_operation(context, "elasticloadbalancingv2", operation, aws::fit_to_operation(aws::elasticloadbalancingv2::kModel, operation, std::move(input)));
}

Json input_of(const Json& properties, std::initializer_list<std::string_view> names) {
  Json out = Json::object();
  for (const std::string_view name : names)
    if (const Json* value = properties.find(name)) out.set(name, *value);
  return out;
}

Json tags_of(const ResourceContext& context, const Json& properties) {
  Json out = Json::array();
  for (const Json& tag : properties["Tags"].as_array()) out.push_back(tag);
  for (const Json& tag : context.tags.as_array()) {
    const auto& own = properties["Tags"].as_array();
    if (std::none_of(own.begin(), own.end(), [&](const Json& other) { return other.text("Key") == tag.text("Key"); })) out.push_back(tag);
  }
  return out;
}

Task<aws::Reply<void>> set_attributes(const ResourceContext& context, std::string_view operation, std::string_view arn_member, const std::string& arn, const Json& attributes) {
  if (attributes.as_array().empty()) co_return aws::Reply<void>();
  CO_TRY(co_await call(context, operation, Json::object({{std::string(arn_member), arn}, {"Attributes", attributes}})));
  co_return aws::Reply<void>();
}

// Tags that a template dropped go; what it has now stays or comes.
Task<aws::Reply<void>> retag(const ResourceContext& context, const std::string& arn, const Json& before, const Json& after) {
  Json gone = Json::array();
  for (const Json& tag : before["Tags"].as_array()) {
    const auto& now = after["Tags"].as_array();
    if (std::none_of(now.begin(), now.end(), [&](const Json& other) { return other.text("Key") == tag.text("Key"); })) gone.push_back(tag.text("Key"));
  }
  const Json arns = Json::array({Json(arn)});
  if (gone.size() > 0) CO_TRY(co_await call(context, "RemoveTags", Json::object({{"ResourceArns", arns}, {"TagKeys", std::move(gone)}})));
  const Json kept = tags_of(context, after);
  if (kept.size() > 0) CO_TRY(co_await call(context, "AddTags", Json::object({{"ResourceArns", arns}, {"Tags", kept}})));
  co_return aws::Reply<void>();
}

// --- LoadBalancer ------------------------------------------------------------------------------------------------------

std::string balancer_name(const ResourceContext& context, const Json& properties) {
  const std::string& given = properties.text("Name");
  if (!given.empty()) return given;
  return context.generated_name(32);
}

ResourceState balancer_state(const Json& balancer) {
  const std::string& arn = balancer.text("LoadBalancerArn");
  return {.physical_id = arn,
          .attributes = Json::object({{"LoadBalancerArn", arn}, {"DNSName", balancer.text("DNSName")}, {"CanonicalHostedZoneID", balancer.text("CanonicalHostedZoneId")},
                                      {"LoadBalancerFullName", arn.substr(arn.find(":loadbalancer/") + 14)}, {"LoadBalancerName", balancer.text("LoadBalancerName")},
                                      {"SecurityGroups", balancer["SecurityGroups"]}})};
}

Task<aws::Reply<ResourceState>> create_balancer(const ResourceContext& context, const Json& properties) {
  Json input = input_of(properties, {"Subnets", "SubnetMappings", "SecurityGroups", "Scheme", "Type", "IpAddressType"});
  input.set("Name", balancer_name(context, properties));
  if (Json tags = tags_of(context, properties); tags.size() > 0) input.set("Tags", std::move(tags));
  const Json out = CO_TRY(co_await call(context, "CreateLoadBalancer", std::move(input)));
  const Json& made = out["LoadBalancers"].as_array().front();
  CO_TRY(co_await set_attributes(context, "ModifyLoadBalancerAttributes", "LoadBalancerArn", made.text("LoadBalancerArn"), properties["LoadBalancerAttributes"]));
  co_return balancer_state(made);
}
Task<aws::Reply<ResourceState>> update_balancer(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  const std::string& arn = current.physical_id;
  if (before["Subnets"] != after["Subnets"] || before["SubnetMappings"] != after["SubnetMappings"]) {
    Json input = input_of(after, {"Subnets", "SubnetMappings"});
    input.set("LoadBalancerArn", arn);
    CO_TRY(co_await call(context, "SetSubnets", std::move(input)));
  }
  if (before["SecurityGroups"] != after["SecurityGroups"] && after["SecurityGroups"].size() > 0)
    CO_TRY(co_await call(context, "SetSecurityGroups", Json::object({{"LoadBalancerArn", arn}, {"SecurityGroups", after["SecurityGroups"]}})));
  if (before["IpAddressType"] != after["IpAddressType"] && after.contains("IpAddressType"))
    CO_TRY(co_await call(context, "SetIpAddressType", Json::object({{"LoadBalancerArn", arn}, {"IpAddressType", after["IpAddressType"]}})));
  CO_TRY(co_await set_attributes(context, "ModifyLoadBalancerAttributes", "LoadBalancerArn", arn, after["LoadBalancerAttributes"]));
  CO_TRY(co_await retag(context, arn, before, after));
  const Json out = CO_TRY(co_await call(context, "DescribeLoadBalancers", Json::object({{"LoadBalancerArns", Json::array({Json(arn)})}})));
  co_return balancer_state(out["LoadBalancers"].as_array().front());
}
Task<aws::Reply<void>> remove_balancer(const ResourceContext& context, const ResourceState& current, const Json&) {
  return aws::call_unless_gone(context, "elasticloadbalancingv2", "DeleteLoadBalancer", Json::object({{"LoadBalancerArn", current.physical_id}}), "LoadBalancerNotFound");
}

// --- Listener ----------------------------------------------------------------------------------------------------------

constexpr std::initializer_list<std::string_view> kListenerMembers = {"Port", "Protocol", "SslPolicy", "Certificates", "DefaultActions", "AlpnPolicy", "MutualAuthentication"};

ResourceState listener_state(const std::string& arn) { return {.physical_id = arn, .attributes = Json::object({{"ListenerArn", arn}})}; }

Task<aws::Reply<ResourceState>> create_listener(const ResourceContext& context, const Json& properties) {
  Json input = input_of(properties, kListenerMembers);
  input.set("LoadBalancerArn", properties["LoadBalancerArn"]);
  const Json out = CO_TRY(co_await call(context, "CreateListener", std::move(input)));
  const std::string arn = out["Listeners"].as_array().front().text("ListenerArn");
  CO_TRY(co_await set_attributes(context, "ModifyListenerAttributes", "ListenerArn", arn, properties["ListenerAttributes"]));
  co_return listener_state(arn);
}
Task<aws::Reply<ResourceState>> update_listener(const ResourceContext& context, const ResourceState& current, const Json&, const Json& after) {
  Json input = input_of(after, kListenerMembers);
  input.set("ListenerArn", current.physical_id);
  CO_TRY(co_await call(context, "ModifyListener", std::move(input)));
  CO_TRY(co_await set_attributes(context, "ModifyListenerAttributes", "ListenerArn", current.physical_id, after["ListenerAttributes"]));
  co_return current;
}
Task<aws::Reply<void>> remove_listener(const ResourceContext& context, const ResourceState& current, const Json&) {
  return aws::call_unless_gone(context, "elasticloadbalancingv2", "DeleteListener", Json::object({{"ListenerArn", current.physical_id}}), "ListenerNotFound");
}

// --- ListenerRule ------------------------------------------------------------------------------------------------------

Task<aws::Reply<ResourceState>> create_rule(const ResourceContext& context, const Json& properties) {
  Json input = input_of(properties, {"ListenerArn", "Priority"});
  input.set("Conditions", properties["Conditions"]);
  input.set("Actions", properties["Actions"]);
  if (properties.contains("Transforms")) input.set("Transforms", properties["Transforms"]);
  const Json out = CO_TRY(co_await call(context, "CreateRule", std::move(input)));
  const std::string arn = out["Rules"].as_array().front().text("RuleArn");
  co_return ResourceState{.physical_id = arn, .attributes = Json::object({{"RuleArn", arn}, {"IsDefault", false}})};
}
Task<aws::Reply<ResourceState>> update_rule(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  Json input = Json::object({{"RuleArn", current.physical_id}, {"Conditions", after["Conditions"]}, {"Actions", after["Actions"]}});
  if (after["Transforms"].size() > 0) input.set("Transforms", after["Transforms"]);
  else input.set("ResetTransforms", true);
  CO_TRY(co_await call(context, "ModifyRule", std::move(input)));
  if (before["Priority"].scalar_text() != after["Priority"].scalar_text())
    CO_TRY(co_await call(context, "SetRulePriorities",
                         Json::object({{"RulePriorities", Json::array({Json::object({{"RuleArn", current.physical_id}, {"Priority", after["Priority"]}})})}})));
  co_return current;
}
Task<aws::Reply<void>> remove_rule(const ResourceContext& context, const ResourceState& current, const Json&) {
  return aws::call_unless_gone(context, "elasticloadbalancingv2", "DeleteRule", Json::object({{"RuleArn", current.physical_id}}), "RuleNotFound");
}

// --- TargetGroup -------------------------------------------------------------------------------------------------------

constexpr std::initializer_list<std::string_view> kHealthMembers = {"HealthCheckEnabled", "HealthCheckIntervalSeconds", "HealthCheckPath", "HealthCheckPort", "HealthCheckProtocol",
                                                                    "HealthCheckTimeoutSeconds", "HealthyThresholdCount", "UnhealthyThresholdCount", "Matcher"};

Json targets_of(const Json& properties) {
  Json out = Json::array();
  for (const Json& target : properties["Targets"].as_array()) out.push_back(target);
  return out;
}

Task<aws::Reply<ResourceState>> create_group(const ResourceContext& context, const Json& properties) {
  Json input = input_of(properties, kHealthMembers);
  for (const std::string_view name : {"Protocol", "ProtocolVersion", "Port", "VpcId", "TargetType", "IpAddressType"})
    if (const Json* value = properties.find(name)) input.set(name, *value);
  const std::string& given = properties.text("Name");
  input.set("Name", given.empty() ? context.generated_name(32) : given);
  if (Json tags = tags_of(context, properties); tags.size() > 0) input.set("Tags", std::move(tags));
  const Json out = CO_TRY(co_await call(context, "CreateTargetGroup", std::move(input)));
  const Json& made = out["TargetGroups"].as_array().front();
  const std::string arn = made.text("TargetGroupArn");
  CO_TRY(co_await set_attributes(context, "ModifyTargetGroupAttributes", "TargetGroupArn", arn, properties["TargetGroupAttributes"]));
  if (Json targets = targets_of(properties); targets.size() > 0)
    CO_TRY(co_await call(context, "RegisterTargets", Json::object({{"TargetGroupArn", arn}, {"Targets", std::move(targets)}})));
  co_return ResourceState{.physical_id = arn,
                          .attributes = Json::object({{"TargetGroupArn", arn}, {"TargetGroupFullName", arn.substr(arn.rfind(':') + 1)},
                                                      {"TargetGroupName", made.text("TargetGroupName")}, {"LoadBalancerArns", Json::array()}})};
}
Task<aws::Reply<ResourceState>> update_group(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  const std::string& arn = current.physical_id;
  Json input = input_of(after, kHealthMembers);
  input.set("TargetGroupArn", arn);
  CO_TRY(co_await call(context, "ModifyTargetGroup", std::move(input)));
  CO_TRY(co_await set_attributes(context, "ModifyTargetGroupAttributes", "TargetGroupArn", arn, after["TargetGroupAttributes"]));
  Json gone = Json::array();
  const auto& now = after["Targets"].as_array();
  for (const Json& target : before["Targets"].as_array())
    if (std::none_of(now.begin(), now.end(), [&](const Json& other) { return other == target; })) gone.push_back(target);
  if (gone.size() > 0) CO_TRY(co_await call(context, "DeregisterTargets", Json::object({{"TargetGroupArn", arn}, {"Targets", std::move(gone)}})));
  if (Json targets = targets_of(after); targets.size() > 0)
    CO_TRY(co_await call(context, "RegisterTargets", Json::object({{"TargetGroupArn", arn}, {"Targets", std::move(targets)}})));
  CO_TRY(co_await retag(context, arn, before, after));
  co_return current;
}
Task<aws::Reply<void>> remove_group(const ResourceContext& context, const ResourceState& current, const Json&) {
  return aws::call_unless_gone(context, "elasticloadbalancingv2", "DeleteTargetGroup", Json::object({{"TargetGroupArn", current.physical_id}}), "TargetGroupNotFound");
}

// --- ListenerCertificate, TrustStore -----------------------------------------------------------------------------------

Json certificates_of(const Json& properties) {
  return Json::object({{"ListenerArn", properties["ListenerArn"]}, {"Certificates", properties["Certificates"]}});
}
Task<aws::Reply<ResourceState>> create_certificate(const ResourceContext& context, const Json& properties) {
  CO_TRY(co_await call(context, "AddListenerCertificates", certificates_of(properties)));
  co_return ResourceState{.physical_id = context.generated_name(64), .attributes = Json::object()};
}
Task<aws::Reply<ResourceState>> update_certificate(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  CO_TRY(co_await call(context, "AddListenerCertificates", certificates_of(after)));
  Json gone = Json::array();
  const auto& now = after["Certificates"].as_array();
  for (const Json& certificate : before["Certificates"].as_array())
    if (std::none_of(now.begin(), now.end(), [&](const Json& other) { return other == certificate; })) gone.push_back(certificate);
  if (gone.size() > 0) CO_TRY(co_await call(context, "RemoveListenerCertificates", Json::object({{"ListenerArn", after["ListenerArn"]}, {"Certificates", std::move(gone)}})));
  co_return current;
}
Task<aws::Reply<void>> remove_certificate(const ResourceContext& context, const ResourceState&, const Json& properties) {
  return aws::call_unless_gone(context, "elasticloadbalancingv2", "RemoveListenerCertificates", certificates_of(properties), "ListenerNotFound");
}

Json trust_store_input(const Json& properties) {
  return input_of(properties, {"CaCertificatesBundleS3Bucket", "CaCertificatesBundleS3Key", "CaCertificatesBundleS3ObjectVersion"});
}
Task<aws::Reply<ResourceState>> create_trust_store(const ResourceContext& context, const Json& properties) {
  Json input = trust_store_input(properties);
  const std::string& given = properties.text("Name");
  input.set("Name", given.empty() ? context.generated_name(32) : given);
  if (Json tags = tags_of(context, properties); tags.size() > 0) input.set("Tags", std::move(tags));
  const Json out = CO_TRY(co_await call(context, "CreateTrustStore", std::move(input)));
  const Json& made = out["TrustStores"].as_array().front();
  co_return ResourceState{.physical_id = made.text("TrustStoreArn"),
                          .attributes = Json::object({{"TrustStoreArn", made["TrustStoreArn"]}, {"Status", made["Status"]}, {"NumberOfCaCertificates", made["NumberOfCaCertificates"]}})};
}
Task<aws::Reply<ResourceState>> update_trust_store(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  Json input = trust_store_input(after);
  input.set("TrustStoreArn", current.physical_id);
  CO_TRY(co_await call(context, "ModifyTrustStore", std::move(input)));
  CO_TRY(co_await retag(context, current.physical_id, before, after));
  co_return current;
}
Task<aws::Reply<void>> remove_trust_store(const ResourceContext& context, const ResourceState& current, const Json&) {
  return aws::call_unless_gone(context, "elasticloadbalancingv2", "DeleteTrustStore", Json::object({{"TrustStoreArn", current.physical_id}}), "TrustStoreNotFound");
}

Task<aws::Reply<ResourceState>> create_revocation(const ResourceContext& context, const Json& properties) {
  const Json out = CO_TRY(co_await call(context, "AddTrustStoreRevocations", input_of(properties, {"TrustStoreArn", "RevocationContents"})));
  const Json& made = out["TrustStoreRevocations"];
  Json shown = Json::array();
  for (const Json& one : made.as_array()) shown.push_back(one);
  const std::string id = made.as_array().front()["RevocationId"].scalar_text().value_or("");
  co_return ResourceState{.physical_id = properties.text("TrustStoreArn") + "|" + id, .attributes = Json::object({{"RevocationId", made.as_array().front()["RevocationId"]}, {"TrustStoreRevocations", std::move(shown)}})};
}
Task<aws::Reply<void>> remove_revocation(const ResourceContext& context, const ResourceState& current, const Json&) {
  const auto bar = current.physical_id.rfind('|');
  Json ids = Json::array();
  for (const Json& one : current.attributes["TrustStoreRevocations"].as_array()) ids.push_back(one["RevocationId"]);
  co_return co_await aws::call_unless_gone(context, "elasticloadbalancingv2", "RemoveTrustStoreRevocations",
                                           Json::object({{"TrustStoreArn", current.physical_id.substr(0, bar)}, {"RevocationIds", std::move(ids)}}), "RevocationIdNotFound");
}

}  // namespace

const aws::ResourceType kTrustStoreRevocation{
    .name = "AWS::ElasticLoadBalancingV2::TrustStoreRevocation",
    .properties = {{"RevocationContents", kReplace}, {"TrustStoreArn", kReplace}},
    .create = create_revocation, .remove = remove_revocation};
const aws::ResourceType kLoadBalancer{
    .name = "AWS::ElasticLoadBalancingV2::LoadBalancer",
    .properties = {{"IpAddressType"}, {"LoadBalancerAttributes"}, {"Name", kReplace}, {"Scheme", kReplace}, {"SecurityGroups"}, {"SubnetMappings"}, {"Subnets"}, {"Tags"},
                   {"Type", kReplace}},
    .create = create_balancer, .update = update_balancer, .remove = remove_balancer};
const aws::ResourceType kListener{
    .name = "AWS::ElasticLoadBalancingV2::Listener",
    .properties = {{"AlpnPolicy"}, {"Certificates"}, {"DefaultActions", OnChange::kUpdate, true}, {"ListenerAttributes"}, {"LoadBalancerArn", kReplace, true},
                   {"MutualAuthentication"}, {"Port"}, {"Protocol"}, {"SslPolicy"}},
    .create = create_listener, .update = update_listener, .remove = remove_listener};
const aws::ResourceType kListenerRule{
    .name = "AWS::ElasticLoadBalancingV2::ListenerRule",
    .properties = {{"Actions", OnChange::kUpdate, true}, {"Conditions", OnChange::kUpdate, true}, {"ListenerArn", kReplace, true}, {"Priority", OnChange::kUpdate, true}, {"Transforms"}},
    .create = create_rule, .update = update_rule, .remove = remove_rule};
const aws::ResourceType kTargetGroup{
    .name = "AWS::ElasticLoadBalancingV2::TargetGroup",
    .properties = {{"HealthCheckEnabled"}, {"HealthCheckIntervalSeconds"}, {"HealthCheckPath"}, {"HealthCheckPort"}, {"HealthCheckProtocol"}, {"HealthCheckTimeoutSeconds"},
                   {"HealthyThresholdCount"}, {"IpAddressType", kReplace}, {"Matcher"}, {"Name", kReplace}, {"Port", kReplace}, {"Protocol", kReplace}, {"ProtocolVersion", kReplace},
                   {"Tags"}, {"TargetGroupAttributes"}, {"TargetType", kReplace}, {"Targets"}, {"UnhealthyThresholdCount"}, {"VpcId", kReplace}},
    .create = create_group, .update = update_group, .remove = remove_group};
const aws::ResourceType kListenerCertificate{
    .name = "AWS::ElasticLoadBalancingV2::ListenerCertificate",
    .properties = {{"Certificates", OnChange::kUpdate, true}, {"ListenerArn", kReplace, true}},
    .create = create_certificate, .update = update_certificate, .remove = remove_certificate};
const aws::ResourceType kTrustStore{
    .name = "AWS::ElasticLoadBalancingV2::TrustStore",
    .properties = {{"CaCertificatesBundleS3Bucket"}, {"CaCertificatesBundleS3Key"}, {"CaCertificatesBundleS3ObjectVersion"}, {"Name", kReplace}, {"Tags"}},
    .create = create_trust_store, .update = update_trust_store, .remove = remove_trust_store};

}  // namespace reef::service::elb::resources
