// Checks of items, keys and key attributes against a table's schema, with AWS's texts.
#pragma once

#include <set>

#include "service/dynamodb/errors.h"

namespace reef::dynamodb {

class Expressions;

// A whole item as PutItem gets it.
Reply<void> check_item(const table::TableDefinition& table, const AttributeMap& item);
// A key: exactly the key attributes.
Reply<void> check_key(const table::KeySchema& keys, const AttributeMap& key);
// Values of any parameter that is a map of attributes.
Reply<void> check_attributes(const AttributeMap& values);
// Update targets: none may be a key attribute.
Reply<void> check_update_targets(const table::TableDefinition& table, const std::vector<std::string>& names);
// Paths that reach into a key attribute.
Reply<void> check_nested_heads(const table::TableDefinition& table, const std::set<std::string, std::less<>>& heads);
// The same for all paths of the condition, the projection and the filter, where there are any.
Reply<void> check_paths(const table::TableDefinition& table, const Expressions& expressions);

// `item`, or a copy in `storage` with its numbers made canonical when they were not.
const AttributeMap* canonical(const AttributeMap& item, AttributeMap& storage);

}  // namespace reef::dynamodb
