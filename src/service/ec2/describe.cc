#include "service/ec2/describe.h"

namespace reef::service::ec2 {

std::optional<Values> tag_values(const Tags& tags, std::string_view name) {
  const bool any_key = name == "tag-key";
  if (!any_key && !name.starts_with("tag:")) return std::nullopt;
  Values out;
  if (!tags) return out;
  for (const model::Tag& tag : *tags) {
    if (any_key) out.push_back(tag.key.value_or(""));
    else if (tag.key == name.substr(4)) out.push_back(tag.value.value_or(""));
  }
  return out;
}

bool matches_any(const Values& have, const std::vector<std::string>& wanted) {
  return std::any_of(wanted.begin(), wanted.end(), [&](const std::string& pattern) {
    return std::any_of(have.begin(), have.end(), [&](const std::string& value) { return matches_wildcard(pattern, value); });
  });
}

aws::Error unknown_filter(std::string_view name) { return invalid_value(fmt::format("The filter '{}' is invalid", name)); }

}  // namespace reef::service::ec2
