#include "service/lambda/configuration.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/digest.h"
#include "base/text.h"
#include "engine/function/interpreters.h"
#include "service/lambda/limits.h"

namespace reef::service::lambda {
namespace {

// https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime
constexpr std::string_view kReserved[] = {
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR"};

}  // namespace

std::string lambda_time(Time time) {
  std::string text = format_iso8601(time, true);
  text.pop_back();
  return text + "+0000";
}

// As Lambda lists them.
constexpr std::string_view kRuntimes[] = {
    "nodejs20.x", "python3.14", "provided.al2023", "python3.12", "python3.13", "nodejs24.x", "nodejs22.x", "java25", "python3.10",
    "python3.11", "java21", "ruby3.3", "ruby3.4", "ruby3.2", "python3.8", "python3.9", "java17", "nodejs16.x", "dotnet10", "dotnet8",
    "java11", "dotnet6", "nodejs18.x", "provided.al2", "java8.al2"};

bool is_arn(std::string_view text) { return text.starts_with("arn:aws"); }

Reply<void> check_runtime(const std::string& runtime) {
  if (function::parse_runtime(runtime)) return {};
  if (std::find(std::begin(kRuntimes), std::end(kRuntimes), runtime) == std::end(kRuntimes) && !is_arn(runtime))
    return Err(invalid_parameter(fmt::format("Value {} at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: [{}] or be a valid ARN",
                                             runtime, fmt::join(kRuntimes, ", "))));
  return Err(invalid_parameter(fmt::format(
      "The runtime parameter of {} is not supported by this version of Atoll, which runs nodejs*.x, python3.*, provided.al2 and provided.al2023.", runtime)));
}

Reply<void> check_timeout_and_memory(std::optional<std::int32_t> timeout, std::optional<std::int32_t> memory) {
  const auto violated = [](std::int32_t value, const char* member, const char* bound, std::int32_t limit) {
    return aws::Error("ValidationException", fmt::format("1 validation error detected: Value '{}' at '{}' failed to satisfy constraint: Member must have value {} than or equal to {}", value, member, bound, limit), 400);
  };
  if (timeout && *timeout > limits::kTimeoutSecondsMax) return Err(violated(*timeout, "timeout", "less", limits::kTimeoutSecondsMax));
  if (memory && *memory > limits::kMemoryMibMax) return Err(violated(*memory, "memorySize", "less", limits::kMemoryMibMax));
  if (memory && *memory < limits::kMemoryMibMin) return Err(violated(*memory, "memorySize", "greater", limits::kMemoryMibMin));
  return {};
}

Reply<void> check_environment(const std::map<std::string, std::string, std::less<>>& variables) {
  std::vector<std::string> reserved;
  wire::Json measured = wire::Json::object();
  for (const auto& [name, value] : variables) {
    measured.set(name, value);
    if (std::find(std::begin(kReserved), std::end(kReserved), name) != std::end(kReserved)) reserved.push_back(name);
  }
  if (!reserved.empty())
    return Err(invalid_parameter("Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: " + join(reserved, ", ")));
  const std::string text = measured.dump();
  if (text.size() > limits::kEnvironmentBytesMax)
    return Err(invalid_parameter("Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: " + text));
  return {};
}

Reply<std::vector<StoredLayer>> find_layers(Lambda& lambda, const std::vector<std::string>& arns, const Call& call) {
  if (arns.size() > limits::kLayersMax) return Err(invalid_parameter("Cannot reference more than 5 layers."));
  std::vector<StoredLayer> layers;
  std::map<std::string, std::string> seen;  // the version of each layer
  for (const std::string& arn : arns) {
    const LayerName name = TRY(parse_layer(arn, call));
    if (name.version == 0) return Err(invalid_parameter(fmt::format("Layer version {} does not exist.", arn)));
    if (name.region != call.region)
      return Err(invalid_parameter(fmt::format("Layers are not in the same region as the function. Layers are expected to be in region {}.", call.region)));
    if (const auto [first, is_new] = seen.emplace(name.key(), arn); !is_new)
      return Err(invalid_parameter(fmt::format("Two different versions of the same layer are not allowed to be referenced in the same function. "
                                               "{} and {} are versions of the same layer.", first->second, arn)));
    auto layer = lambda.repository.layer(name);
    if (!layer) return Err(invalid_parameter(fmt::format("Layer version {} does not exist.", arn)));
    layers.push_back(*std::move(layer));
  }
  return layers;
}

std::vector<model::Layer> layer_list(const std::vector<StoredLayer>& layers) {
  std::vector<model::Layer> list;
  for (const StoredLayer& layer : layers)
    list.push_back({.arn = layer.version.layer_version_arn, .code_size = layer.version.content ? layer.version.content->code_size : std::nullopt});
  return list;
}

Reply<void> check_dead_letter_target(const std::string& arn) {
  if (arn.empty() || arn.starts_with("arn:aws:sqs:") || arn.starts_with("arn:aws:sns:")) return {};
  return Err(invalid_parameter(fmt::format("The provided target ARN '{}' is not a queue or a topic.", arn)));
}

std::string version_key(const FunctionName& name, const StoredVersion& version) {
  return name.key() + ":" + version.config.version.value_or("$LATEST") + "@" + version.build;
}

model::RuntimeVersionConfig runtime_version(const std::string& runtime, const std::string& region) {
  return {.runtime_version_arn = fmt::format("arn:aws:lambda:{}::runtime:{}", region, sha256_hex(runtime))};
}

function::VersionPtr to_version(const FunctionName& name, const StoredVersion& stored) {
  const model::FunctionConfiguration& config = stored.config;
  auto version = std::make_shared<function::Version>();
  version->id = version_key(name, stored);
  version->function = name.key();
  version->account = name.account;
  version->region = name.region;
  version->name = name.name;
  version->number = config.version.value_or("$LATEST");
  version->runtime = config.runtime.value_or("");
  const auto runtime = function::parse_runtime(version->runtime);
  version->language = runtime ? runtime->language : function::Language::kProvided;
  version->handler = config.handler.value_or("");
  version->code = stored.code;
  version->layers = stored.layers;
  version->timeout = std::chrono::seconds(config.timeout.value_or(3));
  version->memory_mib = static_cast<std::uint32_t>(config.memory_size.value_or(128));
  version->tmp_mib = config.ephemeral_storage ? static_cast<std::uint32_t>(config.ephemeral_storage->size) : 512;
  const std::string format = config.logging_config ? config.logging_config->log_format.value_or("Text") : "Text";
  version->log_group = config.logging_config && config.logging_config->log_group ? *config.logging_config->log_group : "/aws/lambda/" + name.name;
  version->json_logs = format == "JSON";
  version->traced = config.tracing_config && config.tracing_config->mode == "Active";
  auto& env = version->env;
  env = {{"AWS_REGION", name.region}, {"AWS_DEFAULT_REGION", name.region},
         // The account's own key: whoever calls with it acts in this account.
         {"AWS_ACCESS_KEY_ID", name.account}, {"AWS_SECRET_ACCESS_KEY", "atoll"},
         {"AWS_EXECUTION_ENV", "AWS_Lambda_" + version->runtime},
         {"AWS_XRAY_CONTEXT_MISSING", "LOG_ERROR"}};
  if (version->json_logs) {
    env.emplace_back("AWS_LAMBDA_LOG_FORMAT", "JSON");
    env.emplace_back("AWS_LAMBDA_LOG_LEVEL", config.logging_config->application_log_level.value_or("INFO"));
  }
  if (config.environment && config.environment->variables)
    for (const auto& [key, value] : *config.environment->variables) env.emplace_back(key, value);
  return version;
}

}  // namespace reef::service::lambda
