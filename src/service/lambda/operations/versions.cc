// https://docs.aws.amazon.com/lambda/latest/api/API_PublishVersion.html
// https://docs.aws.amazon.com/lambda/latest/api/API_ListVersionsByFunction.html
#include <fmt/format.h>

#include "service/lambda/operations.h"
#include "service/lambda/publishing.h"

namespace reef::service::lambda::operations {

Task<Reply<model::FunctionConfiguration>> publish_version(Lambda& lambda, const model::PublishVersionInput& in, const Call& call) {
  auto [name, function] = CO_TRY(find_function(lambda, in.function_name, std::nullopt, call));
  CO_TRY(check_revision(in.revision_id, function.latest.config.revision_id.value_or("")));
  const std::string current = function.latest.config.code_sha256.value_or("");
  if (in.code_sha256 && !in.code_sha256->empty() && *in.code_sha256 != current)
    co_return Err(invalid_parameter(fmt::format("CodeSHA256 ({}) is different from current CodeSHA256 in $LATEST ({}). Please try again with the CodeSHA256 in $LATEST.", *in.code_sha256, current)));
  model::FunctionConfiguration answer = publish(lambda, name, function, in.description);
  lambda.repository.put(name, function);
  co_await stored();
  co_return answer;
}

Task<Reply<model::ListVersionsByFunctionOutput>> list_versions_by_function(Lambda& lambda, const model::ListVersionsByFunctionInput& in, const Call& call) {
  const auto [name, function] = CO_TRY(find_function(lambda, in.function_name, std::nullopt, call));
  std::vector<model::FunctionConfiguration> all = {function.latest.config};
  all[0].function_arn = name.arn() + ":$LATEST";
  for (const StoredVersion& version : lambda.repository.versions(name)) all.push_back(version.config);
  for (auto& config : all) {
    config.state.reset();
    config.runtime_version_config.reset();
    config.last_update_status.reset();
  }
  model::ListVersionsByFunctionOutput out;
  out.versions = page(std::move(all), in.marker, in.max_items, 50, out.next_marker);
  co_return out;
}

}  // namespace reef::service::lambda::operations
