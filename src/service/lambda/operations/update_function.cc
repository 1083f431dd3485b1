// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionCode.html
// https://docs.aws.amazon.com/lambda/latest/api/API_UpdateFunctionConfiguration.html
#include <fmt/format.h>

#include "service/lambda/configuration.h"
#include "service/lambda/operations.h"
#include "service/lambda/packages.h"
#include "service/lambda/publishing.h"
#include "service/lambda/vpc.h"

namespace reef::service::lambda::operations {
namespace {

// AWS answers while the update goes on; waiters then see it succeed.
model::FunctionConfiguration in_progress(model::FunctionConfiguration config) {
  config.last_update_status = "InProgress";
  config.last_update_status_reason = "The function is being created.";
  config.last_update_status_reason_code = "Creating";
  config.revision_id = new_revision();  // the end of the update is a revision of its own
  return config;
}

void touch(StoredFunction& function, Time now) {
  function.latest.config.revision_id = new_revision();
  function.latest.config.last_modified = lambda_time(now);
  function.latest.build = new_revision();
}

}  // namespace

Task<Reply<model::FunctionConfiguration>> update_function_code(Lambda& lambda, const model::UpdateFunctionCodeInput& in, const Call& call) {
  if (in.image_uri) co_return Err(invalid_parameter("ImageUri is not supported by this version of Atoll."));
  auto [name, before] = CO_TRY(find_function(lambda, in.function_name, std::nullopt, call));
  CO_TRY(check_revision(in.revision_id, before.latest.config.revision_id.value_or("")));
  const Package package = CO_TRY(co_await store_package(lambda, {in.zip_file, in.s3_bucket, in.s3_key, in.s3_object_version}, call));
  auto function = lambda.repository.function(name);  // it may have changed while the package was unpacked
  if (!function) co_return Err(function_not_found(name));
  const std::string retired = version_key(name, function->latest);
  function->latest.config.code_sha256 = package.sha256;
  function->latest.config.code_size = package.size;
  if (in.architectures) function->latest.config.architectures = in.architectures;
  function->latest.code = package.folder;
  function->latest.code_zip = package.zip;
  touch(*function, call.now);
  model::FunctionConfiguration answer = function->latest.config;
  if (in.dry_run.value_or(false)) co_return answer;
  if (in.publish.value_or(false)) answer = publish(lambda, name, *function, std::nullopt);
  lambda.repository.put(name, *function);
  co_await stored();
  lambda.functions.retire(retired);
  if (!in.publish.value_or(false)) co_return in_progress(answer);
  answer.state = "Pending";
  answer.state_reason = "The function is being created.";
  answer.state_reason_code = "Creating";
  answer.last_update_status.reset();
  co_return answer;
}

Task<Reply<model::FunctionConfiguration>> update_function_configuration(Lambda& lambda, const model::UpdateFunctionConfigurationInput& in, const Call& call) {
  if (in.file_system_configs && !in.file_system_configs->empty()) co_return Err(invalid_parameter("FileSystemConfigs are not supported by this version of Atoll."));
  auto [name, before] = CO_TRY(find_function(lambda, in.function_name, std::nullopt, call));
  CO_TRY(check_revision(in.revision_id, before.latest.config.revision_id.value_or("")));
  if (in.runtime) CO_TRY(check_runtime(*in.runtime));
  CO_TRY(check_timeout_and_memory(in.timeout, in.memory_size));
  if (in.environment && in.environment->variables) CO_TRY(check_environment(*in.environment->variables));
  if (in.dead_letter_config) CO_TRY(check_dead_letter_target(in.dead_letter_config->target_arn.value_or("")));
  std::optional<std::vector<StoredLayer>> layers;
  std::string merged;
  if (in.layers) {
    layers = CO_TRY(find_layers(lambda, *in.layers, call));
    merged = CO_TRY(co_await merge_layers(lambda, *layers));
  }
  auto function = lambda.repository.function(name);
  if (!function) co_return Err(function_not_found(name));
  model::FunctionConfiguration& config = function->latest.config;
  const std::string retired = version_key(name, function->latest);
  const auto take = [](auto& to, const auto& from) {
    if (from) to = *from;
  };
  take(config.role, in.role);
  take(config.handler, in.handler);
  take(config.description, in.description);
  take(config.timeout, in.timeout);
  take(config.memory_size, in.memory_size);
  take(config.runtime, in.runtime);
  if (in.runtime) config.runtime_version_config = runtime_version(*in.runtime, name.region);
  take(config.kms_key_arn, in.kms_key_arn);
  take(config.ephemeral_storage, in.ephemeral_storage);
  if (in.vpc_config) {
    const bool was_attached = config.vpc_config.has_value();
    config.vpc_config.reset();
    if (was_attached)  // AWS goes on showing that there once was a network
      config.vpc_config = model::VpcConfigResponse{.subnet_ids = std::vector<std::string>(), .security_group_ids = std::vector<std::string>(), .vpc_id = ""};
    if (in.vpc_config->subnet_ids && !in.vpc_config->subnet_ids->empty())
      config.vpc_config = model::VpcConfigResponse{.subnet_ids = in.vpc_config->subnet_ids, .security_group_ids = in.vpc_config->security_group_ids, .vpc_id = ""};
    CO_TRY(attach_to_vpc(lambda, name, config));
  }
  if (in.environment) {
    if (in.environment->variables && !in.environment->variables->empty()) config.environment = model::EnvironmentResponse{.variables = in.environment->variables};
    else config.environment.reset();
  }
  if (in.dead_letter_config) {
    if (in.dead_letter_config->target_arn.value_or("").empty()) config.dead_letter_config.reset();
    else config.dead_letter_config = in.dead_letter_config;
  }
  if (in.tracing_config) config.tracing_config = model::TracingConfigResponse{.mode = in.tracing_config->mode.value_or("PassThrough")};
  if (in.logging_config) {
    model::LoggingConfig logging = config.logging_config.value_or(model::LoggingConfig{});
    take(logging.log_format, in.logging_config->log_format);
    take(logging.log_group, in.logging_config->log_group);
    take(logging.application_log_level, in.logging_config->application_log_level);
    take(logging.system_log_level, in.logging_config->system_log_level);
    if (logging.log_format == "JSON") {
      if (!logging.application_log_level) logging.application_log_level = "INFO";
      if (!logging.system_log_level) logging.system_log_level = "INFO";
    } else {
      logging.application_log_level.reset();
      logging.system_log_level.reset();
    }
    config.logging_config = logging;
  }
  if (layers) {
    if (layers->empty()) config.layers.reset();
    else config.layers = layer_list(*layers);
    function->latest.layers = merged;
  }
  touch(*function, call.now);
  lambda.repository.put(name, *function);
  co_await stored();
  lambda.functions.retire(retired);
  co_return in_progress(function->latest.config);
}

}  // namespace reef::service::lambda::operations
