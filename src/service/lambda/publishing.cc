#include "service/lambda/publishing.h"

#include <fmt/format.h>

#include "base/random.h"
#include "service/lambda/configuration.h"
#include "service/lambda/resolver.h"

namespace reef::service::lambda {

Reply<std::pair<FunctionName, StoredFunction>> find_function(Lambda& lambda, const std::string& text, const std::optional<std::string>& qualifier, const Call& call,
                                                             const std::string& absent) {
  FunctionName name = TRY(parse_reachable_function(text, qualifier, call));
  auto function = lambda.repository.function(name);
  if (!function) return Err(absent.empty() ? function_not_found(name) : not_found(absent));
  return std::pair{std::move(name), *std::move(function)};
}

Reply<StoredVersion> find_version(Lambda& lambda, const FunctionName& name, const StoredFunction& function) {
  std::string number = name.qualifier;
  if (!number.empty() && number != "$LATEST" && !is_version_number(number)) {
    const auto alias = lambda.repository.alias(name, number);
    if (!alias) return Err(function_not_found(name));
    number = alias->function_version.value_or("$LATEST");
  }
  if (number.empty() || number == "$LATEST") return function.latest;
  auto version = lambda.repository.version(name, number);
  if (!version) return Err(function_not_found(name));
  return *std::move(version);
}

std::string new_revision() { return make_uuid(thread_random()); }

Reply<void> check_revision(const std::optional<std::string>& wanted, const std::string& current, std::string_view ask) {
  if (!wanted || *wanted == current) return {};
  aws::Error error(errors::kPreconditionFailedException,
                   fmt::format("The Revision Id provided does not match the latest Revision Id. Call the {} API to retrieve the latest Revision Id", ask));
  error.fields.set("Type", "User");
  return Err(error);
}

model::FunctionConfiguration publish(Lambda& lambda, const FunctionName& name, StoredFunction& function, const std::optional<std::string>& description) {
  StoredVersion next = function.latest;
  if (description) next.config.description = description;
  if (function.last_version > 0) {
    const auto last = lambda.repository.version(name, std::to_string(function.last_version));
    if (last) {
      // The same code and configuration is the same version, whatever it is called.
      model::FunctionConfiguration before = last->config, after = next.config;
      for (model::FunctionConfiguration* config : {&before, &after}) {
        config->version.reset();
        config->function_arn.reset();
        config->revision_id.reset();
        config->last_modified.reset();
        config->description.reset();
      }
      if (before == after && function.published_description == function.latest.config.description) return last->config;
    }
  }
  const std::string number = std::to_string(++function.last_version);
  next.config.version = number;
  next.config.function_arn = name.arn() + ":" + number;
  next.config.revision_id = new_revision();
  next.config.last_modified = lambda_time(store::Shard::control().now());
  lambda.repository.put_version(name, number, next);
  function.latest.config.revision_id = new_revision();
  function.published_description = function.latest.config.description.value_or("");
  return next.config;
}

}  // namespace reef::service::lambda
