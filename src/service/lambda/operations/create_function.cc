// https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
#include <fmt/format.h>

#include "aws/unmodelled_errors.h"
#include "service/lambda/configuration.h"
#include "service/lambda/limits.h"
#include "service/lambda/operations.h"
#include "service/lambda/packages.h"
#include "service/lambda/publishing.h"
#include "service/lambda/vpc.h"

namespace reef::service::lambda::operations {
namespace {

// Properties that would silently do nothing here: refused by name.
Reply<void> refuse_unsupported(const model::CreateFunctionInput& in) {
  if (in.package_type.value_or("Zip") != "Zip" || in.code.image_uri) return Err(invalid_parameter("PackageType Image is not supported by this version of Atoll."));
  if (in.file_system_configs && !in.file_system_configs->empty()) return Err(invalid_parameter("FileSystemConfigs are not supported by this version of Atoll."));
  if (in.code_signing_config_arn) return Err(invalid_parameter("CodeSigningConfigArn is not supported by this version of Atoll."));
  if (in.durable_config) return Err(invalid_parameter("DurableConfig is not supported by this version of Atoll."));
  if (in.tenancy_config) return Err(invalid_parameter("TenancyConfig is not supported by this version of Atoll."));
  if (in.capacity_provider_config) return Err(invalid_parameter("CapacityProviderConfig is not supported by this version of Atoll."));
  return {};
}

model::FunctionConfiguration first_configuration(const model::CreateFunctionInput& in, const FunctionName& name, const Package& package,
                                                 const std::vector<StoredLayer>& layers, Time now) {
  model::FunctionConfiguration config;
  config.function_name = name.name;
  config.function_arn = name.arn();
  config.runtime = in.runtime;
  config.runtime_version_config = runtime_version(*in.runtime, name.region);
  config.role = in.role;
  config.handler = in.handler;
  config.code_size = package.size;
  config.code_sha256 = package.sha256;
  config.description = in.description.value_or("");
  config.timeout = in.timeout.value_or(3);
  config.memory_size = in.memory_size.value_or(128);
  config.last_modified = lambda_time(now);
  config.version = "$LATEST";
  if (in.vpc_config && in.vpc_config->subnet_ids && !in.vpc_config->subnet_ids->empty())
    config.vpc_config = model::VpcConfigResponse{.subnet_ids = in.vpc_config->subnet_ids, .security_group_ids = in.vpc_config->security_group_ids, .vpc_id = ""};
  config.dead_letter_config = in.dead_letter_config;
  if (in.environment) config.environment = model::EnvironmentResponse{.variables = in.environment->variables.value_or(Tags{})};
  config.kms_key_arn = in.kms_key_arn;
  config.tracing_config = model::TracingConfigResponse{.mode = in.tracing_config ? in.tracing_config->mode.value_or("PassThrough") : "PassThrough"};
  config.revision_id = new_revision();
  if (!layers.empty()) config.layers = layer_list(layers);
  config.state = "Active";
  config.last_update_status = "Successful";
  config.package_type = "Zip";
  config.architectures = in.architectures.value_or(std::vector<std::string>{"x86_64"});
  config.ephemeral_storage = in.ephemeral_storage.value_or(model::EphemeralStorage{.size = 512});
  config.snap_start = model::SnapStartResponse{.apply_on = "None", .optimization_status = "Off"};
  model::LoggingConfig logging = in.logging_config.value_or(model::LoggingConfig{});
  if (!logging.log_format) logging.log_format = "Text";
  if (!logging.log_group) logging.log_group = "/aws/lambda/" + name.name;
  if (*logging.log_format == "JSON") {
    if (!logging.application_log_level) logging.application_log_level = "INFO";
    if (!logging.system_log_level) logging.system_log_level = "INFO";
  }
  config.logging_config = logging;
  return config;
}

}  // namespace

Task<Reply<model::FunctionConfiguration>> create_function(Lambda& lambda, const model::CreateFunctionInput& in, const Call& call) {
  const FunctionName name = CO_TRY(parse_function(in.function_name, std::nullopt, call));
  CO_TRY(refuse_unsupported(in));
  if (!in.runtime || !in.handler)
    co_return Err(invalid_parameter("Runtime and Handler are mandatory parameters for functions created with deployment packages."));
  CO_TRY(check_runtime(*in.runtime));
  if (!in.runtime->starts_with("provided") && !co_await lambda.functions.interpreter_for(*in.runtime))
    co_return Err(invalid_parameter(fmt::format("The runtime {} needs {} on this machine, and none was found in PATH and the usual places.",
                                                *in.runtime, in.runtime->starts_with("node") ? "Node.js 18 or newer" : "Python 3.9 or newer")));
  CO_TRY(check_timeout_and_memory(in.timeout, in.memory_size));
  if (in.environment && in.environment->variables) CO_TRY(check_environment(*in.environment->variables));
  if (in.dead_letter_config) CO_TRY(check_dead_letter_target(in.dead_letter_config->target_arn.value_or("")));
  if (in.snap_start && in.snap_start->apply_on.value_or("None") != "None") co_return Err(invalid_parameter(fmt::format("{} is not supported for SnapStart enabled functions.", *in.runtime)));
  if (in.tags && in.tags->size() > limits::kTagsMax) co_return Err(invalid_parameter("Number of tags exceeds resource tag limit."));
  const std::vector<StoredLayer> layers = CO_TRY(find_layers(lambda, in.layers.value_or(std::vector<std::string>{}), call));
  if (lambda.repository.function(name)) co_return Err(conflict("Function already exist: " + name.name));
  const Package package = CO_TRY(co_await store_package(lambda, {in.code.zip_file, in.code.s3_bucket, in.code.s3_key, in.code.s3_object_version}, call));
  const std::string merged = CO_TRY(co_await merge_layers(lambda, layers));
  if (lambda.repository.function(name)) co_return Err(conflict("Function already exist: " + name.name));

  StoredFunction function;
  function.latest = {first_configuration(in, name, package, layers, call.now), package.folder, package.zip, merged, new_revision()};
  CO_TRY(attach_to_vpc(lambda, name, function.latest.config));
  if (in.tags) function.tags = *in.tags;
  model::FunctionConfiguration answer = function.latest.config;
  if (in.publish.value_or(false)) answer = publish(lambda, name, function, std::nullopt);
  lambda.repository.put(name, function);
  co_await stored();
  lambda.functions.prepare(to_version(name, function.latest));
  // AWS answers before the function is ready; waiters then see it become active.
  answer.state = "Pending";
  answer.state_reason = "The function is being created.";
  answer.state_reason_code = "Creating";
  answer.last_update_status.reset();
  answer.function_arn = name.arn();
  answer.revision_id = new_revision();  // becoming active is a revision of its own
  co_return answer;
}

}  // namespace reef::service::lambda::operations
