// What would happen to each resource, without doing it: for change sets, and to find that nothing would.
#pragma once

#include <string>
#include <vector>

#include "aws/resource.h"
#include "service/cloudformation/cloudformation.h"

namespace reef::cloudformation {

struct Difference {
  std::vector<std::string> changed;   // top-level properties that matter
  std::vector<std::string> replacing; // those of them that need a new resource
  bool needs_replacement = false;
};
Difference compare(const aws::ResourceType& type, std::string_view type_name, std::string_view old_type, const Json& old_properties, const Json& new_properties);
bool has_property(const aws::ResourceType& type, std::string_view name);

// The changes that would carry the stack to `desired`, in order of logical id.
Reply<std::vector<model::Change>> preview(Cloudformation& cloud, const Stack& stack, const Desired& desired);

// Nothing about the stack would change: neither resources nor outputs nor tags.
bool is_same(const Stack& stack, const Desired& desired, const std::vector<model::Change>& changes);

}  // namespace reef::cloudformation
