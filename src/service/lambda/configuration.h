// A function's configuration: defaults, checks, and what the function engine makes of it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/function/function.h"
#include "service/lambda/lambda.h"

namespace reef::service::lambda {

// "2026-11-20T22:38:29.123+0000"
std::string lambda_time(Time time);

Reply<void> check_runtime(const std::string& runtime);
Reply<void> check_timeout_and_memory(std::optional<std::int32_t> timeout, std::optional<std::int32_t> memory);
Reply<void> check_environment(const std::map<std::string, std::string, std::less<>>& variables);
Reply<std::vector<StoredLayer>> find_layers(Lambda& lambda, const std::vector<std::string>& arns, const Call& call);
std::vector<model::Layer> layer_list(const std::vector<StoredLayer>& layers);
// Lambda itself cannot be told apart from other destinations by the model: SQS, SNS, Lambda, EventBridge or S3 ARNs.
Reply<void> check_dead_letter_target(const std::string& arn);

// What runs. Pure.
function::VersionPtr to_version(const FunctionName& name, const StoredVersion& stored);
std::string version_key(const FunctionName& name, const StoredVersion& version);
// Lambda's runtimes have versions of their own; here each has one.
model::RuntimeVersionConfig runtime_version(const std::string& runtime, const std::string& region);

}  // namespace reef::service::lambda
