// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateEventBus.html, API_DescribeEventBus, API_ListEventBuses,
// API_DeleteEventBus, API_UpdateEventBus, API_PutPermission, API_RemovePermission
#include <algorithm>

#include "aws/protocol/codec.h"
#include "aws/unmodelled_errors.h"
#include "base/text.h"
#include "engine/store/shard.h"
#include "service/eventbridge/eventbridge.h"

namespace reef::service::eventbridge::operations {
namespace {

using wire::Json;

Reply<Bus*> find(EventBridge& service, const Call& call, const std::optional<std::string>& name) {
  const BusName wanted = bus_name(call, name);
  if (Bus* bus = service.book.find(wanted)) return bus;
  return Err(no_bus(wanted.name));
}

// What CreateEventBus and UpdateEventBus both set.
template <class In, class Out>
void settle(Bus& bus, const In& in, Out& out) {
  if (in.description) bus.description = *in.description;
  if (in.kms_key_identifier) bus.key_id = *in.kms_key_identifier;
  if (in.dead_letter_config) bus.dead_letters = in.dead_letter_config->arn.value_or("");
  if (in.log_config) bus.log_config = aws::to_json(*in.log_config);
  out.description = given(bus.description);
  out.kms_key_identifier = given(bus.key_id);
  out.dead_letter_config = in.dead_letter_config;
  out.log_config = in.log_config;
}

}  // namespace

Task<Reply<model::CreateEventBusOutput>> CreateEventBus(EventBridge& service, const model::CreateEventBusInput& in, const Call& call) {
  if (in.event_source_name || in.name.starts_with("aws.partner/")) co_return Err(aws::not_implemented("EventBridge's partner event sources"));
  if (in.name.find('/') != std::string::npos) co_return Err(aws::validation_exception("Event bus name must not contain '/'."));
  const BusName name{call.account, call.region, in.name};
  if (service.book.find(name)) co_return Err(aws::Error(errors::kResourceAlreadyExistsException, fmt::format("Event bus {} already exists.", in.name)));
  Bus& bus = service.book.add(name, call.now);
  model::CreateEventBusOutput out;
  settle(bus, in, out);
  bus.tags = tags_of(in.tags);
  service.book.save(bus);
  out.event_bus_arn = name.arn();
  co_await store::Shard::control().committed();
  co_return out;
}

Task<Reply<model::UpdateEventBusOutput>> UpdateEventBus(EventBridge& service, const model::UpdateEventBusInput& in, const Call& call) {
  Bus* bus = CO_TRY(find(service, call, in.name));
  model::UpdateEventBusOutput out;
  settle(*bus, in, out);
  bus->modified = call.now;
  service.book.save(*bus);
  out.arn = bus->name.arn();
  out.name = bus->name.name;
  co_await store::Shard::control().committed();
  co_return out;
}

Task<Reply<model::DescribeEventBusOutput>> DescribeEventBus(EventBridge& service, const model::DescribeEventBusInput& in, const Call& call) {
  const Bus* bus = CO_TRY(find(service, call, in.name));
  model::DescribeEventBusOutput out;
  out.name = bus->name.name;
  out.arn = bus->name.arn();
  out.description = given(bus->description);
  out.kms_key_identifier = given(bus->key_id);
  if (!bus->dead_letters.empty()) out.dead_letter_config.emplace().arn = bus->dead_letters;
  if (auto config = aws::from_json<model::LogConfig>(bus->log_config); config && bus->log_config.is_object()) out.log_config = *config;
  if (!bus->policy.is_null()) out.policy = bus->policy.dump();
  if (bus->created != Time{}) {
    out.creation_time = bus->created;
    out.last_modified_time = bus->modified;
  }
  co_return out;
}

Task<Reply<model::ListEventBusesOutput>> ListEventBuses(EventBridge& service, const model::ListEventBusesInput& in, const Call& call) {
  std::vector<model::EventBus> all;
  for (const Bus* bus : service.book.buses(call.account, call.region, in.name_prefix.value_or(""))) {
    model::EventBus& one = all.emplace_back();
    one.name = bus->name.name;
    one.arn = bus->name.arn();
    one.description = given(bus->description);
    if (!bus->policy.is_null()) one.policy = bus->policy.dump();
    if (bus->created != Time{}) {
      one.creation_time = bus->created;
      one.last_modified_time = bus->modified;
    }
  }
  std::erase_if(all, [&](const model::EventBus& one) { return in.name_prefix && !one.name->starts_with(*in.name_prefix); });
  model::ListEventBusesOutput out;
  out.event_buses = page_of(std::move(all), in.next_token, in.limit, out.next_token);
  co_return out;
}

// Gone already is success.
Task<Reply<model::DeleteEventBusOutput>> DeleteEventBus(EventBridge& service, const model::DeleteEventBusInput& in, const Call& call) {
  const BusName name = bus_name(call, in.name);
  if (name.name == kDefaultBus) co_return Err(aws::validation_exception("Cannot delete event bus default."));
  const Bus* bus = service.book.find(name);
  if (!bus) co_return model::DeleteEventBusOutput();
  if (!bus->rules.empty()) co_return Err(aws::validation_exception("Event bus can't be deleted since it has rules."));
  service.book.remove(name);
  co_await store::Shard::control().committed();
  co_return model::DeleteEventBusOutput();
}

Task<Reply<model::PutPermissionOutput>> PutPermission(EventBridge& service, const model::PutPermissionInput& in, const Call& call) {
  Bus* bus = CO_TRY(find(service, call, in.event_bus_name));
  if (in.policy) {
    if (in.action || in.principal || in.statement_id || in.condition)
      co_return Err(aws::validation_exception("Parameters Policy and Action, Principal, StatementId, Condition must not be specified together."));
    const auto policy = Json::parse(*in.policy);
    if (!policy || !policy->is_object()) co_return Err(invalid("Policy", "Policy is not valid JSON."));
    bus->policy = *policy;
  } else {
    if (!in.action || !in.principal || !in.statement_id) co_return Err(aws::validation_exception("Parameters Action, Principal and StatementId must be specified."));
    Json statement = Json::object({{"Sid", *in.statement_id}, {"Effect", "Allow"}});
    if (*in.principal == "*") statement.set("Principal", "*");
    else statement.set("Principal", Json::object({{"AWS", fmt::format("arn:aws:iam::{}:root", *in.principal)}}));
    statement.set("Action", *in.action);
    statement.set("Resource", bus->name.arn());
    if (in.condition) statement.set("Condition", Json::object({{in.condition->type, Json::object({{in.condition->key, in.condition->value}})}}));
    if (bus->policy.is_null()) bus->policy = Json::object({{"Version", "2012-10-17"}, {"Statement", Json::array()}});
    Json* statements = bus->policy.find("Statement");
    if (!statements) statements = &bus->policy.set("Statement", Json::array());
    std::erase_if(statements->elements(), [&](const Json& one) { return one.text("Sid") == *in.statement_id; });
    statements->push_back(std::move(statement));
  }
  service.book.save(*bus);
  co_await store::Shard::control().committed();
  co_return model::PutPermissionOutput();
}

Task<Reply<model::RemovePermissionOutput>> RemovePermission(EventBridge& service, const model::RemovePermissionInput& in, const Call& call) {
  Bus* bus = CO_TRY(find(service, call, in.event_bus_name));
  if (in.remove_all_permissions.value_or(false)) {
    bus->policy = Json();
  } else {
    Json* statements = bus->policy.find("Statement");
    if (!statements) co_return Err(aws::Error(errors::kResourceNotFoundException, "EventBus does not have a policy."));
    const auto removed = std::erase_if(statements->elements(), [&](const Json& one) { return one.text("Sid") == in.statement_id.value_or(""); });
    if (removed == 0) co_return Err(aws::Error(errors::kResourceNotFoundException, "Statement with the provided id does not exist."));
    if (statements->size() == 0) bus->policy = Json();
  }
  service.book.save(*bus);
  co_await store::Shard::control().committed();
  co_return model::RemovePermissionOutput();
}

}  // namespace reef::service::eventbridge::operations
