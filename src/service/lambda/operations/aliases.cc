// https://docs.aws.amazon.com/lambda/latest/api/API_CreateAlias.html
// https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html
#include <fmt/format.h>

#include "service/lambda/operations.h"
#include "service/lambda/publishing.h"
#include "service/lambda/resolver.h"

namespace reef::service::lambda::operations {
namespace {

aws::Error alias_not_found(const FunctionName& name, const std::string& alias) {
  return not_found(fmt::format("Cannot find alias arn: {}:{}", name.arn(), alias));
}

Reply<void> check_alias(Lambda& lambda, const FunctionName& name, const model::AliasConfiguration& alias) {
  const std::string version = alias.function_version.value_or("$LATEST");
  if (version != "$LATEST" && !lambda.repository.version(name, version)) return Err(not_found(fmt::format("Function not found: {}:{}", name.arn(), version)));
  if (!alias.routing_config || !alias.routing_config->additional_version_weights || alias.routing_config->additional_version_weights->empty()) return {};
  const auto& weights = *alias.routing_config->additional_version_weights;
  if (weights.size() > 1) return Err(invalid_parameter("Number of items in AdditionalVersionWeights cannot be greater than 1"));
  if (version == "$LATEST") return Err(invalid_parameter("$LATEST is not supported for an alias pointing to more than 1 version"));
  for (const auto& [other, weight] : weights) {
    if (weight < 0 || weight > 1) return Err(invalid_parameter(fmt::format("Weight {} of version {} is not between 0.0 and 1.0.", weight, other)));
    if (other == "$LATEST") return Err(invalid_parameter("$LATEST is not supported for an alias pointing to more than 1 version"));
    if (other == version) return Err(invalid_parameter(fmt::format("Invalid function version {}. Function version {} is already included in routing configuration.", other, other)));
    if (!lambda.repository.version(name, other)) return Err(not_found(fmt::format("Function not found: {}:{}", name.arn(), other)));
  }
  return {};
}

}  // namespace

Task<Reply<model::AliasConfiguration>> create_alias(Lambda& lambda, const model::CreateAliasInput& in, const Call& call) {
  const FunctionName wanted = CO_TRY(parse_reachable_function(in.function_name, std::nullopt, call));
  const auto [name, function] = CO_TRY(find_function(lambda, in.function_name, std::nullopt, call, fmt::format("Function not found: {}:{}", wanted.arn(), in.function_version)));
  if (is_version_number(in.name)) co_return Err(invalid_parameter(fmt::format("Alias name {} must not be a number.", in.name)));
  if (lambda.repository.alias(name, in.name)) co_return Err(conflict(fmt::format("Alias already exists: {}:{}", name.arn(), in.name)));
  model::AliasConfiguration alias;
  alias.alias_arn = name.arn() + ":" + in.name;
  alias.name = in.name;
  alias.function_version = in.function_version;
  alias.description = in.description.value_or("");
  if (in.routing_config && in.routing_config->additional_version_weights && !in.routing_config->additional_version_weights->empty()) alias.routing_config = in.routing_config;
  alias.revision_id = new_revision();
  CO_TRY(check_alias(lambda, name, alias));
  lambda.repository.put_alias(name, alias);
  co_await stored();
  co_return alias;
}

Task<Reply<model::AliasConfiguration>> get_alias(Lambda& lambda, const model::GetAliasInput& in, const Call& call) {
  const auto [name, function] = CO_TRY(find_function(lambda, in.function_name, std::nullopt, call));
  auto alias = lambda.repository.alias(name, in.name);
  if (!alias) co_return Err(alias_not_found(name, in.name));
  co_return *std::move(alias);
}

Task<Reply<model::ListAliasesOutput>> list_aliases(Lambda& lambda, const model::ListAliasesInput& in, const Call& call) {
  const auto [name, function] = CO_TRY(find_function(lambda, in.function_name, std::nullopt, call));
  std::vector<model::AliasConfiguration> all;
  for (auto& alias : lambda.repository.aliases(name))
    if (!in.function_version || alias.function_version == in.function_version) all.push_back(std::move(alias));
  model::ListAliasesOutput out;
  out.aliases = page(std::move(all), in.marker, in.max_items, 50, out.next_marker);
  co_return out;
}

Task<Reply<model::AliasConfiguration>> update_alias(Lambda& lambda, const model::UpdateAliasInput& in, const Call& call) {
  const auto [name, function] = CO_TRY(find_function(lambda, in.function_name, std::nullopt, call));
  auto alias = lambda.repository.alias(name, in.name);
  if (!alias) co_return Err(not_found(fmt::format("Alias not found: {}:{}", name.arn(), in.name)));
  CO_TRY(check_revision(in.revision_id, alias->revision_id.value_or("")));
  if (in.function_version) alias->function_version = in.function_version;
  if (in.description) alias->description = in.description;
  if (in.routing_config) {
    alias->routing_config.reset();
    if (in.routing_config->additional_version_weights && !in.routing_config->additional_version_weights->empty()) alias->routing_config = in.routing_config;
  }
  CO_TRY(check_alias(lambda, name, *alias));
  alias->revision_id = new_revision();
  lambda.repository.put_alias(name, *alias);
  co_await stored();
  co_return *std::move(alias);
}

Task<Reply<model::DeleteAliasOutput>> delete_alias(Lambda& lambda, const model::DeleteAliasInput& in, const Call& call) {
  const auto [name, function] = CO_TRY(find_function(lambda, in.function_name, std::nullopt, call));
  lambda.repository.erase_alias(name, in.name);
  co_await stored();
  co_return model::DeleteAliasOutput{};
}

}  // namespace reef::service::lambda::operations
