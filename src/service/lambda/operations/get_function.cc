// https://docs.aws.amazon.com/lambda/latest/api/API_GetFunction.html
// https://docs.aws.amazon.com/lambda/latest/api/API_GetFunctionConfiguration.html
// https://docs.aws.amazon.com/lambda/latest/api/API_ListFunctions.html
// https://docs.aws.amazon.com/lambda/latest/api/API_GetAccountSettings.html
#include "service/lambda/configuration.h"
#include "service/lambda/limits.h"
#include "service/lambda/operations.h"
#include "service/lambda/packages.h"
#include "service/lambda/publishing.h"

namespace reef::service::lambda::operations {
namespace {

// As seen through the qualifier that was asked for.
model::FunctionConfiguration qualified_configuration(model::FunctionConfiguration config, const FunctionName& name) {
  if (!name.qualifier.empty()) config.function_arn = name.qualified_arn();
  return config;
}

}  // namespace

Task<Reply<model::GetFunctionOutput>> get_function(Lambda& lambda, const model::GetFunctionInput& in, const Call& call) {
  const auto [name, function] = CO_TRY(find_function(lambda, in.function_name, in.qualifier, call));
  const StoredVersion version = CO_TRY(find_version(lambda, name, function));
  model::GetFunctionOutput out;
  out.configuration = qualified_configuration(version.config, name);
  out.code = model::FunctionCodeLocation{.repository_type = "S3", .location = download_url(version.code_zip, call)};
  if (!function.tags.empty() && name.qualifier.empty()) out.tags = function.tags;
  if (function.reserved) out.concurrency = model::Concurrency{.reserved_concurrent_executions = function.reserved};
  co_return out;
}

Task<Reply<model::FunctionConfiguration>> get_function_configuration(Lambda& lambda, const model::GetFunctionConfigurationInput& in, const Call& call) {
  const auto [name, function] = CO_TRY(find_function(lambda, in.function_name, in.qualifier, call));
  const StoredVersion version = CO_TRY(find_version(lambda, name, function));
  co_return qualified_configuration(version.config, name);
}

Task<Reply<model::GetFunctionCodeSigningConfigOutput>> get_function_code_signing_config(Lambda& lambda, const model::GetFunctionCodeSigningConfigInput& in, const Call& call) {
  const auto [name, function] = CO_TRY(find_function(lambda, in.function_name, std::nullopt, call));
  co_return model::GetFunctionCodeSigningConfigOutput{.code_signing_config_arn = "", .function_name = name.name};
}

Task<Reply<model::GetRuntimeManagementConfigOutput>> get_runtime_management_config(Lambda& lambda, const model::GetRuntimeManagementConfigInput& in, const Call& call) {
  const auto [name, function] = CO_TRY(find_function(lambda, in.function_name, in.qualifier, call));
  CO_TRY(find_version(lambda, name, function));
  model::GetRuntimeManagementConfigOutput out;
  out.update_runtime_on = "Auto";
  out.function_arn = name.qualifier.empty() ? name.arn() + ":$LATEST" : name.qualified_arn();
  co_return out;
}

Task<Reply<model::ListFunctionsOutput>> list_functions(Lambda& lambda, const model::ListFunctionsInput& in, const Call& call) {
  std::vector<model::FunctionConfiguration> all;
  const bool all_versions = in.function_version == "ALL";
  for (const auto& [name, function] : lambda.repository.functions(call.account, call.region)) {
    model::FunctionConfiguration latest = function.latest.config;
    if (all_versions) latest.function_arn = name.arn() + ":$LATEST";
    all.push_back(std::move(latest));
    if (!all_versions) continue;
    for (const StoredVersion& version : lambda.repository.versions(name)) all.push_back(version.config);
  }
  for (auto& config : all) {  // lists leave out what describes a momentary state
    config.state.reset();
    config.last_update_status.reset();
    config.runtime_version_config.reset();
  }
  model::ListFunctionsOutput out;
  out.functions = page(std::move(all), in.marker, in.max_items, 50, out.next_marker);
  co_return out;
}

Task<Reply<model::GetAccountSettingsOutput>> get_account_settings(Lambda& lambda, const model::GetAccountSettingsInput&, const Call& call) {
  std::int64_t bytes = 0, count = 0, reserved = 0;
  for (const auto& [name, function] : lambda.repository.functions(call.account, call.region)) {
    ++count;
    bytes += function.latest.config.code_size.value_or(0);
    for (const StoredVersion& version : lambda.repository.versions(name)) bytes += version.config.code_size.value_or(0);
    reserved += function.reserved.value_or(0);
  }
  for (const std::string& layer_name : lambda.repository.layer_names(call.account, call.region))
    for (const StoredLayer& layer : lambda.repository.layer_versions(LayerName{call.account, call.region, layer_name}))
      bytes += layer.version.content ? layer.version.content->code_size.value_or(0) : 0;
  model::GetAccountSettingsOutput out;
  out.account_limit = model::AccountLimit{.total_code_size = 80'530'636'800, .code_size_unzipped = limits::kUnzippedBytesMax,
      .code_size_zipped = limits::kZipBytesMax, .concurrent_executions = limits::kAccountConcurrency,
      .unreserved_concurrent_executions = static_cast<std::int32_t>(limits::kAccountConcurrency - reserved)};
  out.account_usage = model::AccountUsage{.total_code_size = bytes, .function_count = count};
  co_return out;
}

}  // namespace reef::service::lambda::operations
