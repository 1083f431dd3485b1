// https://docs.aws.amazon.com/lambda/latest/api/API_AddPermission.html
// https://docs.aws.amazon.com/lambda/latest/api/API_RemovePermission.html
// https://docs.aws.amazon.com/lambda/latest/api/API_GetPolicy.html
#include <fmt/format.h>

#include "service/lambda/limits.h"
#include "service/lambda/operations.h"
#include "service/lambda/policy_document.h"
#include "service/lambda/publishing.h"
#include "service/lambda/resolver.h"

namespace reef::service::lambda::operations {
namespace {

// Everybody, an account, an identity or a service.
bool is_principal(std::string_view text) {
  const bool is_account = text.size() == 12 && text.find_first_not_of("0123456789") == std::string_view::npos;
  return text == "*" || is_account || text.starts_with("arn:aws") || text.ends_with(".amazonaws.com") || text.ends_with(".amazonaws.com.cn") ||
         text.ends_with(".amazon.com");  // Alexa
}

wire::Json statement_of(const model::AddPermissionInput& in, const FunctionName& name) {
  using wire::Json;
  Json statement = Json::object({{"Sid", in.statement_id}, {"Effect", "Allow"}, {"Principal", policy_principal(in.principal)},
                                 {"Action", in.action}, {"Resource", name.qualified_arn()}});
  Json condition = Json::object();
  const auto add = [&](const char* op, const char* key, const std::optional<std::string>& value) {
    if (!value) return;
    if (!condition.find(op)) condition.set(op, Json::object());
    condition.find(op)->set(key, *value);
  };
  add("StringEquals", "AWS:SourceAccount", in.source_account);
  add("StringEquals", "lambda:EventSourceToken", in.event_source_token);
  add("StringEquals", "aws:PrincipalOrgID", in.principal_org_id);
  add("StringEquals", "lambda:FunctionUrlAuthType", in.function_url_auth_type);
  add("ArnLike", "AWS:SourceArn", in.source_arn);
  if (in.invoked_via_function_url) condition.set("Bool", Json::object({{"lambda:InvokedViaFunctionUrl", *in.invoked_via_function_url ? "true" : "false"}}));
  if (condition.size() > 0) statement.set("Condition", std::move(condition));
  return statement;
}

// A version that is not there is an absent function, an alias is said to be one.
Reply<void> check_alias(Lambda& lambda, const FunctionName& name) {
  const std::string& alias = name.qualifier;
  if (alias.empty() || is_version_number(alias) || alias.find('$') != alias.npos || lambda.repository.alias(name, alias)) return {};
  return Err(not_found(fmt::format("Cannot find alias arn: {}", name.qualified_arn())));
}

}  // namespace

Task<Reply<model::AddPermissionOutput>> add_permission(Lambda& lambda, const model::AddPermissionInput& in, const Call& call) {
  const auto [name, function] = CO_TRY(find_function(lambda, in.function_name, in.qualifier, call));
  CO_TRY(check_alias(lambda, name));
  const StoredVersion found = CO_TRY(find_version(lambda, name, function));
  if (name.qualifier == "$LATEST") co_return Err(invalid_parameter("We currently do not support adding policies for $LATEST."));
  if (!is_principal(in.principal)) co_return Err(invalid_parameter("The provided principal was invalid. Please check the principal and try again."));
  StoredPolicy policy = lambda.repository.policy(name);
  const auto alias = lambda.repository.alias(name, name.qualifier);
  const std::string owner = alias ? alias->revision_id.value_or("") : found.config.revision_id.value_or("");
  CO_TRY(check_revision(in.revision_id, policy.revision.empty() ? owner : policy.revision));
  const wire::Json statement = statement_of(in, name);
  CO_TRY(add_statement(policy, statement, in.statement_id));
  if (policy.statements.dump().size() > limits::kPolicyBytesMax)
    co_return Err(aws::Error(errors::kPolicyLengthExceededException, fmt::format("The final policy size ({}) is bigger than the limit ({}).", policy.statements.dump().size(), limits::kPolicyBytesMax)));
  policy.revision = new_revision();
  lambda.repository.put_policy(name, policy);
  co_await stored();
  co_return model::AddPermissionOutput{.statement = statement.dump()};
}

Task<Reply<model::RemovePermissionOutput>> remove_permission(Lambda& lambda, const model::RemovePermissionInput& in, const Call& call) {
  const FunctionName wanted = CO_TRY(parse_reachable_function(in.function_name, in.qualifier, call));
  const auto [name, function] = CO_TRY(find_function(lambda, in.function_name, in.qualifier, call, "No policy found for: " + wanted.arn()));
  CO_TRY(check_alias(lambda, name));
  StoredPolicy policy = lambda.repository.policy(name);
  if (policy.statements.size() == 0) co_return Err(not_found("No policy is associated with the given resource."));
  CO_TRY(check_revision(in.revision_id, policy.revision));
  if (!remove_statement(policy, in.statement_id)) co_return Err(not_found(fmt::format("Statement {} is not found in resource policy.", in.statement_id)));
  policy.revision = new_revision();
  lambda.repository.put_policy(name, policy);
  co_await stored();
  co_return model::RemovePermissionOutput{};
}

Task<Reply<model::GetPolicyOutput>> get_policy(Lambda& lambda, const model::GetPolicyInput& in, const Call& call) {
  const auto [name, function] = CO_TRY(find_function(lambda, in.function_name, in.qualifier, call, "The resource you requested does not exist."));
  const StoredPolicy policy = lambda.repository.policy(name);
  if (policy.statements.size() == 0) co_return Err(not_found("The resource you requested does not exist."));
  co_return model::GetPolicyOutput{.policy = policy_text(policy), .revision_id = policy.revision};
}

}  // namespace reef::service::lambda::operations
