// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html
#include <fmt/format.h>

#include <algorithm>

#include "service/dynamodb/capacity.h"
#include "service/dynamodb/item_checks.h"
#include "service/dynamodb/key_condition.h"
#include "service/dynamodb/operations/operations.h"

namespace reef::dynamodb::operations {
namespace {

// ExclusiveStartKey's values. Some faults come with a prefix, some without, as AWS has it.
Reply<void> check_start_values(const std::optional<AttributeMap>& start) {
  if (!start) return {};
  auto checked = check_attributes(*start);
  if (checked) return {};
  const std::string& text = checked.error().message;
  for (const char* bare : {"contains duplicates", "number set", "numeric value", "significant digits", "number with magnitude"})
    if (text.find(bare) != std::string::npos) return checked;
  return Err(invalid("The provided starting key is invalid: " + text));
}

// Select with the parameters that go with it.
Reply<void> check_select(const std::optional<std::string>& select, bool has_projection, bool has_index, bool has_attributes) {
  if (!select) return {};
  const char* given = has_attributes ? "AttributesToGet" : "ProjectionExpression";
  if (*select == "SPECIFIC_ATTRIBUTES") {
    if (!has_projection)
      return Err(invalid("One or more parameter values were invalid: Must specify the AttributesToGet or "
                         "ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"));
  } else if (has_projection) {
    return Err(invalid(*select == "COUNT" ? fmt::format("Cannot specify the {} when choosing to get only the Count", given)
                                          : fmt::format("Cannot specify the {} when choosing to get {}", given, *select)));
  }
  if (*select == "ALL_PROJECTED_ATTRIBUTES" && !has_index)
    return Err(invalid("One or more parameter values were invalid: ALL_PROJECTED_ATTRIBUTES can be used only when Querying "
                       "using an IndexName"));
  return {};
}

Reply<void> choose_index(const std::optional<std::string>& name, bool consistent, table::Read& read) {
  if (!name) return {};
  read.index = read.table->find_index(*name);
  if (!read.index) return Err(invalid("The table does not have the specified index: " + *name));
  if (read.index->is_global && consistent)
    return Err(invalid("Consistent reads are not supported on global secondary indexes"));
  if (read.index->is_backfilling)
    return Err(invalid(fmt::format("Cannot read from backfilling global secondary index: {}", *name)));
  return {};
}

// Whether the index lacks an attribute that the projection asks for.
bool is_projected(const table::Read& read, const table::Projection& projection) {
  const table::IndexDefinition& index = *read.index;
  if (index.projection == table::ProjectionKind::kAll) return true;
  return std::ranges::all_of(projection, [&](const table::Path& path) {
    const std::string& name = path.front().name;
    const auto in_keys = [&](const table::KeySchema& keys) {
      return keys.hash.name == name || (keys.range && keys.range->name == name);
    };
    return in_keys(index.keys) || in_keys(read.table->keys) ||
           (index.projection == table::ProjectionKind::kInclude && std::ranges::count(index.included, name) > 0);
  });
}

// A local index fetches from the table what it does not keep; a global one cannot.
Reply<void> choose_fetch(const std::optional<std::string>& select, table::Read& read) {
  if (!read.index || read.index->projection == table::ProjectionKind::kAll) return {};
  const bool all = select == "ALL_ATTRIBUTES";
  if (read.index->is_global) {
    if (all)
      return Err(invalid(fmt::format("One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported "
                                     "for global secondary index {} because its projection type is not ALL",
                                     read.index->name)));
    if (read.projection && !is_projected(read, *read.projection))
      return Err(invalid(fmt::format("One or more parameter values were invalid: Global secondary index {} does not project "
                                     "one or more of the requested attributes", read.index->name)));
    return {};
  }
  read.fetch_whole = all || (read.projection && !is_projected(read, *read.projection));
  return {};
}

Reply<void> check_filter_keys(const Expressions& expressions, const table::KeySchema& keys, bool is_expression) {
  if (!expressions.filter) return {};
  std::set<std::string, std::less<>> heads;
  table::collect_heads(*expressions.filter, heads);
  const table::KeyAttribute* attributes[] = {&keys.hash, keys.range ? &*keys.range : nullptr};
  for (const table::KeyAttribute* attribute : attributes)
    if (attribute && heads.contains(attribute->name))
      return Err(invalid(fmt::format("{} can only contain non-primary key attributes: Primary key attribute: {}",
                                     is_expression ? "Filter Expression" : "QueryFilter", attribute->name)));
  return {};
}

template <class Output>
Output page_output(Dynamodb& dynamodb, table::Page page, const table::Read& read, bool consistent,
                   const std::optional<std::string>& wanted_capacity) {
  Output out;
  out.count = static_cast<std::int32_t>(page.count);
  out.scanned_count = static_cast<std::int32_t>(page.scanned);
  out.last_evaluated_key = std::move(page.last_key);
  if (!read.count_only) out.items = std::move(page.items);
  Consumption consumption{.table = read.table};
  if (read.index) {
    consumption.index_units[read.index->number] = read_units(page.bytes, consistent);
    if (page.table_bytes) consumption.table_units = read_units(page.table_bytes, consistent);
  } else {
    consumption.table_units = read_units(page.bytes, consistent);
  }
  consumption.publish(dynamodb.counters, Consumption::Direction::kRead);
  out.consumed_capacity = consumption.report(wanted_capacity);
  return out;
}

void set_segment(std::uint32_t segment, std::uint32_t segments, table::Read& read) {
  const std::string prefix = table::space_prefix(read.table->id, read.index ? read.index->number : 0);
  const auto bound = [&](std::uint64_t part) {
    std::string key = prefix;
    table::append_big_endian(key, (std::uint64_t{1} << 32) * part / segments, 4);
    return key;
  };
  read.from = segment == 0 ? prefix : bound(segment);
  read.to = segment + 1 == segments ? table::after_prefix(prefix) : bound(segment + 1);
}

Reply<void> check_segments(const model::ScanInput& in) {
  if (in.segment && !in.total_segments)
    return Err(invalid("The TotalSegments parameter is required but was not present in the request when Segment parameter is "
                       "present"));
  if (!in.total_segments) return {};
  if (!in.segment)
    return Err(invalid("The Segment parameter is required but was not present in the request when parameter TotalSegments is "
                       "present"));
  if (*in.segment >= *in.total_segments)
    return Err(invalid(fmt::format("The Segment parameter is zero-based and must be less than parameter TotalSegments: "
                                   "Segment: {} is not less than TotalSegments: {}", *in.segment, *in.total_segments)));
  return {};
}

}  // namespace

Task<Reply<model::QueryOutput>> query(Dynamodb& dynamodb, const model::QueryInput& in, const Call& call) {
  const bool older_keys = in.key_conditions && !in.key_condition_expression;
  CO_TRY(check_mixing({{"ProjectionExpression", in.projection_expression.has_value()},
                       {"FilterExpression", in.filter_expression.has_value()},
                       {"KeyConditionExpression", in.key_condition_expression.has_value()}},
                      {{"AttributesToGet", in.attributes_to_get.has_value()},
                       {"QueryFilter", in.query_filter.has_value()},
                       {"ConditionalOperator", in.conditional_operator.has_value()},
                       {"KeyConditions", in.key_conditions.has_value() && !older_keys}},
                      in.expression_attribute_names.has_value(), in.expression_attribute_values.has_value()));
  Expressions expressions(in.expression_attribute_names, in.expression_attribute_values);
  CO_TRY(expressions.take_filter(in.query_filter, in.conditional_operator));
  CO_TRY(expressions.take_attributes(in.attributes_to_get));
  CO_TRY(check_start_values(in.exclusive_start_key));
  if (!in.key_conditions && !in.key_condition_expression)
    co_return Err(invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."));
  if (in.projection_expression || in.filter_expression || in.key_condition_expression)
    CO_TRY(expressions.parse({.key_condition = &in.key_condition_expression,
                              .filter = &in.filter_expression,
                              .projection = &in.projection_expression}));
  CO_TRY(check_select(in.select, expressions.projection.has_value(), in.index_name.has_value(),
                      in.attributes_to_get.has_value()));
  const KeyConditions conditions = CO_TRY(expressions.key_condition ? key_conditions_of(*expressions.key_condition)
                                                                    : key_conditions_of(*in.key_conditions, expressions));
  const bool consistent = in.consistent_read.value_or(false);
  table::TablePtr table = CO_TRY(find_table(dynamodb, call, in.table_name));
  table::Read read{.table = std::move(table),
                   .forward = in.scan_index_forward.value_or(true),
                   .limit = static_cast<std::uint64_t>(in.limit.value_or(0)),
                   .filter = expressions.filter_or_null(),
                   .projection = expressions.projection_or_null(),
                   .count_only = in.select == "COUNT"};
  CO_TRY(choose_index(in.index_name, consistent, read));
  const table::KeySchema& keys = read.index ? read.index->keys : read.table->keys;
  CO_TRY(set_range(conditions, in.exclusive_start_key, keys, read));
  if (in.exclusive_start_key) CO_TRY(set_start(*in.exclusive_start_key, &conditions, read));
  CO_TRY(check_filter_keys(expressions, keys, in.filter_expression.has_value()));
  CO_TRY(choose_fetch(in.select, read));
  CO_TRY(check_paths(*read.table, expressions));
  if (read.from >= read.to) {  // an empty range
    co_return page_output<model::QueryOutput>(dynamodb, {}, read, consistent, in.return_consumed_capacity);
  }
  co_return page_output<model::QueryOutput>(dynamodb, dynamodb.tables.read(read), read, consistent, in.return_consumed_capacity);
}

Task<Reply<model::ScanOutput>> scan(Dynamodb& dynamodb, const model::ScanInput& in, const Call& call) {
  CO_TRY(check_mixing({{"ProjectionExpression", in.projection_expression.has_value()},
                       {"FilterExpression", in.filter_expression.has_value()}},
                      {{"AttributesToGet", in.attributes_to_get.has_value()},
                       {"ScanFilter", in.scan_filter.has_value()},
                       {"ConditionalOperator", in.conditional_operator.has_value()}},
                      in.expression_attribute_names.has_value(), in.expression_attribute_values.has_value()));
  Expressions expressions(in.expression_attribute_names, in.expression_attribute_values);
  CO_TRY(expressions.take_attributes(in.attributes_to_get));
  CO_TRY(expressions.take_filter(in.scan_filter, in.conditional_operator));
  CO_TRY(check_start_values(in.exclusive_start_key));
  CO_TRY(check_segments(in));
  if (in.projection_expression || in.filter_expression)
    CO_TRY(expressions.parse({.filter = &in.filter_expression, .projection = &in.projection_expression}));
  CO_TRY(check_select(in.select, expressions.projection.has_value(), in.index_name.has_value(),
                      in.attributes_to_get.has_value()));
  const bool consistent = in.consistent_read.value_or(false);
  table::TablePtr table = CO_TRY(find_table(dynamodb, call, in.table_name));
  table::Read read{.table = std::move(table),
                   .limit = static_cast<std::uint64_t>(in.limit.value_or(0)),
                   .filter = expressions.filter_or_null(),
                   .projection = expressions.projection_or_null(),
                   .count_only = in.select == "COUNT"};
  CO_TRY(choose_index(in.index_name, consistent, read));
  set_segment(static_cast<std::uint32_t>(in.segment.value_or(0)), static_cast<std::uint32_t>(in.total_segments.value_or(1)),
              read);
  CO_TRY(choose_fetch(in.select, read));
  if (in.exclusive_start_key) {
    auto started = set_start(*in.exclusive_start_key, nullptr, read);
    if (!started && started.error().message.ends_with("correct Segment. "))
      started.error().message += fmt::format("TotalSegments: {} Segment: {}", in.total_segments.value_or(1), in.segment.value_or(0));
    CO_TRY(std::move(started));
  }
  CO_TRY(check_paths(*read.table, expressions));
  co_return page_output<model::ScanOutput>(dynamodb, dynamodb.tables.read(read), read, consistent, in.return_consumed_capacity);
}

}  // namespace reef::dynamodb::operations
