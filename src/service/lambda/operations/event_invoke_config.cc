// https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html
#include <fmt/format.h>

#include "service/lambda/operations.h"
#include "service/lambda/publishing.h"

namespace reef::service::lambda::operations {
namespace {

// What the configuration is kept under; the function itself may not exist.
Reply<FunctionName> event_config_owner(const std::string& text, const std::optional<std::string>& qualifier, const Call& call) {
  FunctionName name = TRY(parse_reachable_function(text, qualifier, call));
  if (name.qualifier.empty()) name.qualifier = "$LATEST";
  return name;
}

aws::Error no_event_config(const FunctionName& name) {
  return not_found(fmt::format("The function {} doesn't have an EventInvokeConfig", name.qualified_arn()));
}

Reply<void> check_destinations(Lambda& lambda, const std::optional<model::DestinationConfig>& config, const FunctionName& name) {
  if (!config) return {};
  const std::string failure = config->on_failure ? config->on_failure->destination.value_or("") : "";
  const std::string success = config->on_success ? config->on_success->destination.value_or("") : "";
  for (const std::string& arn : {failure, success}) {
    if (arn.empty()) continue;
    if (arn.starts_with("arn:aws:s3:")) return Err(invalid_parameter("S3 destinations are not supported by this version of Atoll: " + arn));
    if (arn == name.arn()) return Err(invalid_parameter("You can't specify the function as a destination for itself."));
    const auto parts = split(arn, ':');
    const std::string_view service = parts.size() > 2 ? parts[2] : std::string_view();
    if (service != "lambda" && service != "sqs" && service != "sns" && service != "events" && service != "s3") {
      const auto shown = [](const char* kind, const std::string& destination) {
        return destination.empty() ? std::string("null") : fmt::format("{}(destination={})", kind, destination);
      };
      return Err(invalid_parameter(fmt::format("The provided destination config DestinationConfig(onSuccess={}, onFailure={}) is invalid.",
                                               shown("OnSuccess", success), shown("OnFailure", failure))));
    }
    if (const auto target = parse_function_arn(arn); target && !lambda.repository.function(*target))
      return Err(invalid_parameter(fmt::format("The destination ARN {} is invalid.", arn)));
    if (arn.starts_with("arn:aws:sqs:") && arn.ends_with(".fifo")) return Err(invalid_parameter("SQS FIFO queues are not supported as destinations: " + arn));
  }
  return {};
}

}  // namespace

Task<Reply<model::FunctionEventInvokeConfig>> put_function_event_invoke_config(Lambda& lambda, const model::PutFunctionEventInvokeConfigInput& in, const Call& call) {
  const FunctionName name = CO_TRY(event_config_owner(in.function_name, in.qualifier, call));
  if (!in.maximum_retry_attempts && !in.maximum_event_age_in_seconds && !in.destination_config)
    co_return Err(invalid_parameter("You must specify at least one of error handling or destination setting."));
  const auto function = lambda.repository.function(name);
  if (!function || !find_version(lambda, name, *function)) co_return Err(not_found("The function doesn't exist."));
  CO_TRY(check_destinations(lambda, in.destination_config, name));
  model::FunctionEventInvokeConfig config;
  config.last_modified = call.now;
  config.function_arn = name.qualified_arn();
  config.maximum_retry_attempts = in.maximum_retry_attempts;
  config.maximum_event_age_in_seconds = in.maximum_event_age_in_seconds;
  config.destination_config = in.destination_config.value_or(model::DestinationConfig{});
  if (!config.destination_config->on_success) config.destination_config->on_success = model::OnSuccess{};
  if (!config.destination_config->on_failure) config.destination_config->on_failure = model::OnFailure{};
  lambda.repository.put_event_config(name, config);
  co_await stored();
  co_return config;
}

Task<Reply<model::FunctionEventInvokeConfig>> update_function_event_invoke_config(Lambda& lambda, const model::UpdateFunctionEventInvokeConfigInput& in, const Call& call) {
  const FunctionName name = CO_TRY(event_config_owner(in.function_name, in.qualifier, call));
  auto config = lambda.repository.event_config(name);
  if (!lambda.repository.function(name)) co_return Err(not_found("The function doesn't exist."));
  if (!config) co_return Err(no_event_config(name));
  CO_TRY(check_destinations(lambda, in.destination_config, name));
  config->last_modified = call.now;
  if (in.maximum_retry_attempts) config->maximum_retry_attempts = in.maximum_retry_attempts;
  if (in.maximum_event_age_in_seconds) config->maximum_event_age_in_seconds = in.maximum_event_age_in_seconds;
  if (in.destination_config) config->destination_config = in.destination_config;
  lambda.repository.put_event_config(name, *config);
  co_await stored();
  co_return *std::move(config);
}

Task<Reply<model::FunctionEventInvokeConfig>> get_function_event_invoke_config(Lambda& lambda, const model::GetFunctionEventInvokeConfigInput& in, const Call& call) {
  const FunctionName name = CO_TRY(event_config_owner(in.function_name, in.qualifier, call));
  auto config = lambda.repository.event_config(name);
  if (!config) co_return Err(no_event_config(name));
  co_return *std::move(config);
}

Task<Reply<model::ListFunctionEventInvokeConfigsOutput>> list_function_event_invoke_configs(Lambda& lambda, const model::ListFunctionEventInvokeConfigsInput& in, const Call& call) {
  const auto [name, function] = CO_TRY(find_function(lambda, in.function_name, std::nullopt, call, "The function doesn't exist."));
  model::ListFunctionEventInvokeConfigsOutput out;
  out.function_event_invoke_configs = page(lambda.repository.event_configs(name), in.marker, in.max_items, 50, out.next_marker);
  co_return out;
}

Task<Reply<model::DeleteFunctionEventInvokeConfigOutput>> delete_function_event_invoke_config(Lambda& lambda, const model::DeleteFunctionEventInvokeConfigInput& in, const Call& call) {
  const FunctionName name = CO_TRY(event_config_owner(in.function_name, in.qualifier, call));
  if (!lambda.repository.erase_event_config(name)) co_return Err(no_event_config(name));
  co_await stored();
  co_return model::DeleteFunctionEventInvokeConfigOutput{};
}

}  // namespace reef::service::lambda::operations
