#include "aws/resource.h"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "base/random.h"
#include "base/text.h"

namespace reef::aws {

std::string ResourceContext::generated_name(std::size_t length_max, bool lower_case) const {
  constexpr std::size_t kSuffix = 12;
  const char* alphabet = lower_case ? "abcdefghijklmnopqrstuvwxyz0123456789" : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  std::string prefix = stack_name + "-" + logical_id;
  const std::size_t room = length_max > kSuffix + 1 ? length_max - kSuffix - 1 : 0;
  // Both parts stay recognisable when they must be cut.
  if (prefix.size() > room) {
    const std::size_t stack_room = std::min(stack_name.size(), std::max(room / 2, room > logical_id.size() + 1 ? room - logical_id.size() - 1 : 0));
    prefix = stack_name.substr(0, stack_room) + "-" + logical_id;
    prefix = prefix.substr(0, room);
  }
  while (prefix.ends_with('-')) prefix.pop_back();
  SeededRandom seeded(std::hash<std::string>{}(name_seed));
  Random& random = name_seed.empty() ? thread_random() : seeded;
  std::string name = prefix + "-" + make_token(random, kSuffix, alphabet);
  return lower_case ? to_lower(name) : name;
}

Task<Reply<wire::Json>> call_operation(const ResourceContext& context, std::string_view service, std::string_view operation, wire::Json input) {
  co_return co_await context.caller.invoke_json(context.call, service, operation, input);
}

Task<Reply<void>> call_unless_gone(const ResourceContext& context, std::string_view service, std::string_view operation, wire::Json input,
                                   std::string_view gone_code) {
  const auto out = co_await context.caller.invoke_json(context.call, service, operation, input);
  if (!out && out.error().code != gone_code) co_return std::unexpected(out.error());
  co_return Reply<void>();
}

bool is_made_for(const ResourceContext& context, const wire::Json& tags) {
  const auto says = [&](std::string_view key, std::string_view value) {
    return std::ranges::any_of(tags.as_array(), [&](const wire::Json& tag) { return tag.text("Key") == key && tag.text("Value") == value; });
  };
  return says("aws:cloudformation:stack-id", context.stack_id) && says("aws:cloudformation:logical-id", context.logical_id);
}

Error already_exists(std::string_view type, std::string_view name) {
  return Error("AlreadyExists", fmt::format("Resource of type '{}' with identifier '{}' already exists.", type, name), 400);
}

}  // namespace reef::aws
