// Functions that a user pool calls while users sign up and in.
// https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-identity-pools-working-with-aws-lambda-triggers.html
#include <fmt/format.h>

#include "aws/models/lambda.h"
#include "service/cognitoidp/cognitoidp.h"

namespace reef::service::cognito {
namespace {

using wire::Json;

std::string function_of(const Pool& pool, std::string_view name) {
  if (!pool.value.lambda_config) return {};
  const auto& config = *pool.value.lambda_config;
  if (name == "PreSignUp") return config.pre_sign_up.value_or("");
  if (name == "CustomMessage") return config.custom_message.value_or("");
  if (name == "PostConfirmation") return config.post_confirmation.value_or("");
  if (name == "PreAuthentication") return config.pre_authentication.value_or("");
  if (name == "PostAuthentication") return config.post_authentication.value_or("");
  if (name == "PreTokenGeneration") return config.pre_token_generation_config ? config.pre_token_generation_config->lambda_arn : config.pre_token_generation.value_or("");
  return {};
}

}  // namespace

bool has_trigger(const Pool& pool, std::string_view name) { return !function_of(pool, name).empty(); }

Task<Reply<Json>> invoke_trigger(Cognito& service, Who who, Trigger trigger, Json request, Json response) {
  const Pool& pool = *CO_TRY(service.pool(who.pool));
  const std::string function = function_of(pool, trigger.name);
  if (function.empty()) co_return Json::object();
  Json event = Json::object({{"version", trigger.name == "PreTokenGeneration" && pool.value.lambda_config->pre_token_generation_config &&
                                                 pool.value.lambda_config->pre_token_generation_config->lambda_version != "V1_0"
                                             ? "2"
                                             : "1"},
                             {"region", pool.region()},
                             {"userPoolId", pool.id()},
                             {"userName", who.user},
                             {"callerContext", Json::object({{"awsSdkVersion", "aws-sdk-unknown-unknown"}, {"clientId", who.client.empty() ? "CLIENT_ID_NOT_APPLICABLE" : who.client}})},
                             {"triggerSource", std::string(trigger.source)},
                             {"request", std::move(request)},
                             {"response", std::move(response)}});
  aws::lambda::InvokeInput invoke;
  invoke.function_name = function;
  invoke.payload = event.dump();
  const auto out = co_await service.caller.call<aws::lambda::InvokeOutput>(service.caller.internal_call(pool.account(), pool.region()), aws::lambda::ops::kInvoke, invoke);
  if (!out) co_return Err(aws::Error(errors::kUnexpectedLambdaException, fmt::format("{} invocation failed due to error {}.", trigger.name, out.error().message)));
  const auto reply = Json::parse(out->payload.value_or("null"));
  if (out->function_error) {
    const std::string said = reply && reply->is_object() ? reply->text("errorMessage") : std::string();
    co_return Err(aws::Error(errors::kUserLambdaValidationException, fmt::format("{} failed with error {}.", trigger.name, said)));
  }
  if (!reply || !reply->is_object() || !(*reply)["response"].is_object())
    co_return Err(aws::Error(errors::kInvalidLambdaResponseException, fmt::format("Invalid lambda function output : Invalid JSON or no response in the output of {}", trigger.name)));
  co_return (*reply)["response"];
}

}  // namespace reef::service::cognito
