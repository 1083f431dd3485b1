#include "service/lambda/resolver.h"

#include <algorithm>

#include "service/lambda/configuration.h"

namespace reef::service::lambda {

bool is_version_number(std::string_view qualifier) {
  return !qualifier.empty() && std::all_of(qualifier.begin(), qualifier.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Reply<std::string> Resolver::pick_version(const FunctionName& name, Random& random) const {
  if (name.qualifier.empty() || name.qualifier == "$LATEST") return std::string("$LATEST");
  if (is_version_number(name.qualifier)) return name.qualifier;
  const auto alias = repository_.alias(name, name.qualifier);
  if (!alias) return Err(function_not_found(name));
  std::string picked = alias->function_version.value_or("$LATEST");
  if (alias->routing_config && alias->routing_config->additional_version_weights) {
    double dice = random.unit();
    for (const auto& [version, weight] : *alias->routing_config->additional_version_weights) {
      if (dice < weight) return version;
      dice -= weight;
    }
  }
  return picked;
}

Reply<Target> Resolver::resolve(const FunctionName& name, Random& random) {
  if (generation_ != repository_.generation()) {
    known_.clear();
    reserved_.clear();
    generation_ = repository_.generation();
  }
  const std::string number = TRY(pick_version(name, random));
  const std::string key = name.key() + ":" + number;
  auto known = known_.find(key);
  if (known == known_.end()) {
    const auto function = repository_.function(name);
    if (!function) return Err(function_not_found(name));
    Known entry;
    if (function->reserved) entry.reserved = static_cast<std::uint32_t>(*function->reserved);
    if (number == "$LATEST") {
      entry.version = to_version(name, function->latest);
    } else {
      const auto version = repository_.version(name, number);
      if (!version) return Err(function_not_found(name));
      entry.version = to_version(name, *version);
    }
    known = known_.emplace(key, std::move(entry)).first;
  }
  const std::string place = name.account + "/" + name.region;
  auto reserved = reserved_.find(place);
  if (reserved == reserved_.end()) {
    std::uint32_t sum = 0;
    for (const auto& [other, function] : repository_.functions(name.account, name.region)) sum += static_cast<std::uint32_t>(function.reserved.value_or(0));
    reserved = reserved_.emplace(place, sum).first;
  }
  return Target{name, known->second.version, known->second.reserved, reserved->second};
}

}  // namespace reef::service::lambda
