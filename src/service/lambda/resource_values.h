// Template properties as inputs of Lambda's own operations: CloudFormation is loose about types, operations are not.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "aws/resource.h"
#include "wire/json.h"

namespace reef::service::lambda::resources {

enum class As { kAny, kNumber, kBool, kText };

// Copies the property, if there is one, under the same name.
void copy(const wire::Json& from, wire::Json& to, std::string_view name, As as = As::kAny);
// [{"Key","Value"}] lists as one map, later ones winning.
wire::Json tag_map(std::initializer_list<const wire::Json*> lists);
// Runs one of Lambda's operations.
Task<aws::Reply<wire::Json>> run(const aws::ResourceContext& context, std::string_view operation, const wire::Json& input);
// The same, where "not there" is fine.
Task<aws::Reply<void>> run_if_there(const aws::ResourceContext& context, std::string_view operation, const wire::Json& input);

}  // namespace reef::service::lambda::resources
