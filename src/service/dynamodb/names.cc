// Table names and ARNs.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "service/dynamodb/errors.h"

namespace reef::dynamodb {

TableName parse_table_name(const Call& call, std::string_view name_or_arn) {
  if (name_or_arn.starts_with("arn:")) {
    const auto parts = split(name_or_arn, ':');
    if (parts.size() == 6 && parts[2] == "dynamodb" && parts[5].starts_with("table/"))
      return {std::string(parts[4]), std::string(parts[3]), std::string(parts[5].substr(6))};
  }
  return {call.account, call.region, std::string(name_or_arn)};
}

namespace {

bool fits_pattern(std::string_view name) {
  return std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' || c == '-';
  });
}

aws::Error violated(std::string_view name, std::string_view constraint) {
  return invalid(fmt::format("1 validation error detected: Value '{}' at 'tableName' failed to satisfy constraint: Member must "
                             "{}", name, constraint));
}

// A name that no table can have is wrong in another way than one that no table has.
aws::Error not_found(std::string_view name, bool is_table_operation) {
  if (!fits_pattern(name)) return violated(name, "satisfy regular expression pattern: [a-zA-Z0-9_.-]+");
  if (is_table_operation && (name.size() < 3 || name.size() > 255))
    return invalid("TableName must be at least 3 characters long and at most 255 characters long");
  if (name.size() < 3) return violated(name, "have length greater than or equal to 3");
  if (name.size() > 255) return violated(name, "have length less than or equal to 255");
  if (is_table_operation) return no_such_table(name);
  return {model::errors::kResourceNotFoundException, "Requested resource not found"};
}

}  // namespace

Reply<table::TablePtr> find_table(const Dynamodb& dynamodb, const Call& call, std::string_view name_or_arn) {
  table::TablePtr found;
  if (name_or_arn.starts_with("arn:")) {
    const TableName name = parse_table_name(call, name_or_arn);
    found = dynamodb.tables.find(name.account, name.region, name.name);
  } else {
    found = dynamodb.tables.find(call.account, call.region, name_or_arn);
  }
  if (!found) return Err(not_found(parse_table_name(call, name_or_arn).name, false));
  return found;
}

Reply<table::TablePtr> find_table_by_name(const Dynamodb& dynamodb, const Call& call, std::string_view name_or_arn) {
  auto found = find_table(dynamodb, call, name_or_arn);
  if (!found) return Err(not_found(parse_table_name(call, name_or_arn).name, true));
  return found;
}

Reply<table::TablePtr> find_table_by_arn(const Dynamodb& dynamodb, std::string_view arn) {
  const auto parts = split(arn, ':');
  if (parts.size() != 6 || parts[0] != "arn" || parts[2] != "dynamodb" || !parts[5].starts_with("table/") ||
      parts[5].size() < 9 || parts[5].substr(6).find('/') != std::string_view::npos)
    return Err(invalid(fmt::format("Invalid TableArn: Invalid ResourceArn provided as input {}", arn)));
  table::TablePtr found = dynamodb.tables.find(parts[4], parts[3], parts[5].substr(6));
  if (!found)
    return Err(aws::Error(model::errors::kResourceNotFoundException,
                          fmt::format("Requested resource not found: ResourcArn: {} not found", arn)));
  return found;
}

std::string table_arn(const table::TableDefinition& table) {
  return fmt::format("arn:aws:dynamodb:{}:{}:table/{}", table.region, table.account, table.name);
}

}  // namespace reef::dynamodb
