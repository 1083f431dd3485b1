// https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunction.html
#include <fmt/format.h>

#include "service/lambda/configuration.h"
#include "service/lambda/operations.h"
#include "service/lambda/publishing.h"
#include "service/lambda/resolver.h"
#include "service/lambda/vpc.h"

namespace reef::service::lambda::operations {

Task<Reply<model::DeleteFunctionOutput>> delete_function(Lambda& lambda, const model::DeleteFunctionInput& in, const Call& call) {
  const FunctionName wanted = CO_TRY(parse_reachable_function(in.function_name, in.qualifier, call));
  if (wanted.qualifier == "$LATEST") co_return Err(invalid_parameter("$LATEST version cannot be deleted without deleting the function."));
  const auto [name, function] = CO_TRY(find_function(lambda, in.function_name, in.qualifier, call, "Function not found: " + wanted.arn()));
  if (!name.qualifier.empty()) {
    if (!is_version_number(name.qualifier)) co_return Err(invalid_parameter("Deletion of aliases is not currently supported."));
    const auto version = lambda.repository.version(name, name.qualifier);
    std::vector<std::string> used_by;
    for (const auto& alias : lambda.repository.aliases(name)) {
      const bool weighted = alias.routing_config && alias.routing_config->additional_version_weights && alias.routing_config->additional_version_weights->contains(name.qualifier);
      if (alias.function_version == name.qualifier || weighted) used_by.push_back(alias.name.value_or(""));
    }
    if (!used_by.empty())
      co_return Err(conflict(fmt::format("Version {} is currently referenced by aliases: [{}]", name.qualifier, join(used_by, ", "))));
    if (version) {
      lambda.repository.erase_version(name, name.qualifier);
      lambda.functions.retire(version_key(name, *version));
    }
    co_await stored();
    co_return model::DeleteFunctionOutput{.status_code = 204};
  }
  std::vector<std::string> retired = {version_key(name, function.latest)};
  for (const StoredVersion& version : lambda.repository.versions(name)) retired.push_back(version_key(name, version));
  lambda.repository.erase(name);
  detach_from_vpc(lambda, name);
  lambda.deliveries.drop_lane("lambda-invoke", name.key());
  co_await stored();
  for (const std::string& id : retired) lambda.functions.retire(id);
  co_return model::DeleteFunctionOutput{.status_code = 204};
}

}  // namespace reef::service::lambda::operations
