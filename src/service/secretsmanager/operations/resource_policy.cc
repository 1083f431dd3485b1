// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_PutResourcePolicy.html, GetResourcePolicy, DeleteResourcePolicy,
// ValidateResourcePolicy
#include <algorithm>

#include "service/secretsmanager/operations.h"
#include "wire/json.h"

namespace reef::service::secretsmanager::operations {
namespace {

using wire::Json;

std::vector<const Json*> statements(const Json& policy) {
  std::vector<const Json*> out;
  if (policy["Statement"].is_object()) out.push_back(&policy["Statement"]);
  for (const Json& one : policy["Statement"].as_array()) out.push_back(&one);
  return out;
}

bool is_everybody(const Json& principal) {
  if (principal.is_string()) return principal.as_string() == "*";
  if (principal.is_array()) return std::any_of(principal.as_array().begin(), principal.as_array().end(), is_everybody);
  return is_everybody(principal["AWS"]);
}

// What is wrong with the document, or "".
std::string policy_fault(const std::string& text) {
  const auto policy = Json::parse(text);
  if (!policy || !policy->is_object()) return "This resource policy contains invalid Json.";
  const auto all = statements(*policy);
  if (all.empty()) return "This resource policy contains no statement.";
  for (const Json* one : all) {
    const std::string& effect = one->text("Effect");
    if (effect != "Allow" && effect != "Deny") return "This resource policy contains an invalid Effect.";
    if (!one->contains("Principal") && !one->contains("NotPrincipal")) return "This resource policy contains a statement without a Principal.";
    if (!one->contains("Action") && !one->contains("NotAction")) return "This resource policy contains a statement without an Action.";
    if (!one->contains("Resource") && !one->contains("NotResource")) return "This resource policy contains a statement without a Resource.";
  }
  return "";
}

bool is_public(const std::string& text) {
  const auto policy = Json::parse(text);
  if (!policy) return false;
  const auto all = statements(*policy);
  return std::any_of(all.begin(), all.end(), [](const Json* one) { return one->text("Effect") == "Allow" && is_everybody((*one)["Principal"]) && !one->contains("Condition"); });
}

}  // namespace

Task<Reply<model::PutResourcePolicyOutput>> PutResourcePolicy(SecretsManager&, const model::PutResourcePolicyInput& in, const Call& call) {
  Secret secret = CO_TRY(need_secret(call, in.secret_id));
  if (in.resource_policy.size() > kPolicyBytesMax) co_return Err(invalid_parameter("The resource policy is too long."));
  if (const std::string fault = policy_fault(in.resource_policy); !fault.empty()) co_return Err(aws::Error(errors::kMalformedPolicyDocumentException, fault));
  if (in.block_public_policy.value_or(false) && is_public(in.resource_policy))
    co_return Err(aws::Error(errors::kPublicPolicyException, "You can't attach this resource-based policy because it would grant public access to your secret."));
  secret.policy = in.resource_policy;
  save(secret);
  co_await committed();
  model::PutResourcePolicyOutput out;
  out.arn = secret.arn;
  out.name = secret.name;
  co_return out;
}

Task<Reply<model::GetResourcePolicyOutput>> GetResourcePolicy(SecretsManager&, const model::GetResourcePolicyInput& in, const Call& call) {
  const Secret secret = CO_TRY(need_secret(call, in.secret_id));
  model::GetResourcePolicyOutput out;
  out.arn = secret.arn;
  out.name = secret.name;
  if (!secret.policy.empty()) out.resource_policy = secret.policy;
  co_return out;
}

Task<Reply<model::DeleteResourcePolicyOutput>> DeleteResourcePolicy(SecretsManager&, const model::DeleteResourcePolicyInput& in, const Call& call) {
  Secret secret = CO_TRY(need_secret(call, in.secret_id));
  secret.policy.clear();
  save(secret);
  co_await committed();
  model::DeleteResourcePolicyOutput out;
  out.arn = secret.arn;
  out.name = secret.name;
  co_return out;
}

Task<Reply<model::ValidateResourcePolicyOutput>> ValidateResourcePolicy(SecretsManager&, const model::ValidateResourcePolicyInput& in, const Call& call) {
  if (in.secret_id) CO_TRY(need_secret(call, *in.secret_id));
  model::ValidateResourcePolicyOutput out;
  auto& faults = out.validation_errors.emplace();
  if (const std::string fault = policy_fault(in.resource_policy); !fault.empty()) faults.push_back({.check_name = "POLICY_SYNTAX", .error_message = fault});
  else if (is_public(in.resource_policy)) faults.push_back({.check_name = "PUBLIC_POLICY", .error_message = "The resource policy grants public access to the secret."});
  out.policy_validation_passed = faults.empty();
  co_return out;
}

}  // namespace reef::service::secretsmanager::operations
