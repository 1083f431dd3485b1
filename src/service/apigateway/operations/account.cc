// https://docs.aws.amazon.com/apigateway/latest/api/API_GetAccount.html
// https://docs.aws.amazon.com/apigateway/latest/api/API_UpdateAccount.html
#include "service/apigateway/operations.h"

namespace reef::service::apigateway::operations {
namespace {

std::string account_key(const Call& call) { return "apigateway/account/" + call.account + "/" + call.region; }

// Limits as AWS gives them to every account: https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
model::Account account_of(const Call& call) {
  model::Account out;
  out.throttle_settings.emplace();
  out.throttle_settings->burst_limit = 5000;
  out.throttle_settings->rate_limit = 10000;
  out.features = {"UsagePlans"};
  out.api_key_version = "4";
  if (const std::string* role = store::Shard::control().records().find(account_key(call)); role && !role->empty()) out.cloudwatch_role_arn = *role;
  return out;
}

}  // namespace

Task<Reply<model::GetAccountOutput>> GetAccount(RestApis&, const model::GetAccountInput&, const Call& call) { co_return account_of(call); }

Task<Reply<model::UpdateAccountOutput>> UpdateAccount(RestApis&, const model::UpdateAccountInput& in, const Call& call) {
  std::optional<std::string> role;
  for (const model::PatchOperation& operation : in.patch_operations.value_or(std::vector<model::PatchOperation>{})) {
    if (operation.path != "/cloudwatchRoleArn") co_return Err(bad_request("Invalid patch path " + operation.path.value_or("")));
    role = operation.op == "remove" ? "" : operation.value.value_or("");
    if (!role->empty() && !role->starts_with("arn:aws:iam::")) co_return Err(bad_request("Invalid ARN specified in the request"));
  }
  if (role) {
    store::Shard::control().records().put(account_key(call), *role);
    co_await committed();
  }
  co_return account_of(call);
}

}  // namespace reef::service::apigateway::operations
