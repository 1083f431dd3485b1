#include "gateway/registry.h"

#include "base/check.h"

namespace reef::gateway {

Registry::Registry(std::vector<std::unique_ptr<aws::Service>> services) {
  for (auto& service : services) {
    auto entry = std::make_unique<ServiceEntry>();
    const aws::ServiceDefinition& definition = service->definition();
    entry->model = definition.model;
    for (std::uint32_t i = 0; i < definition.model->operation_count; ++i) {
      const aws::OperationModel& operation = definition.model->operations[i];
      entry->operations[operation.name] = {&operation, nullptr};
      owners_[&operation] = entry.get();
    }
    for (const aws::Operation& operation : definition.operations) {
      // The table names an operation by its own constant, which is a copy of the model's row or the row itself.
      const auto found = entry->operations.find(operation.model->name);
      CHECK(found != entry->operations.end());
      found->second = {operation.model, &operation};
      owners_[operation.model] = entry.get();
    }
    for (std::uint32_t i = 0; i < definition.model->protocol_count; ++i)
      if (definition.model->protocols[i] == aws::Protocol::kRestJson || definition.model->protocols[i] == aws::Protocol::kRestXml)
        entry->router = std::make_unique<aws::UriRouter>(*definition.model);
    by_name_[definition.model->name] = entry.get();
    if (definition.model->target_prefix) by_target_[definition.model->target_prefix] = entry.get();
    by_signing_[definition.model->signing_name].push_back(entry.get());
    entry->service = std::move(service);
    entries_.push_back(std::move(entry));
  }
}

ServiceEntry* Registry::by_name(std::string_view name) {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->second;
}

ServiceEntry* Registry::by_target_prefix(std::string_view prefix) {
  const auto found = by_target_.find(prefix);
  return found == by_target_.end() ? nullptr : found->second;
}

ServiceEntry* Registry::by_query(std::string_view version, std::string_view action) {
  for (const auto& entry : entries_) {
    if (version != entry->model->api_version || !entry->operations.contains(action)) continue;
    for (std::uint32_t i = 0; i < entry->model->protocol_count; ++i)
      if (entry->model->protocols[i] == aws::Protocol::kQuery || entry->model->protocols[i] == aws::Protocol::kEc2Query)
        return entry.get();
  }
  return nullptr;
}

const std::vector<ServiceEntry*>& Registry::by_signing_name(std::string_view name) {
  static const std::vector<ServiceEntry*> kNone;
  const auto found = by_signing_.find(name);
  return found == by_signing_.end() ? kNone : found->second;
}

ServiceEntry* Registry::owner_of(const aws::OperationModel& operation) {
  const auto found = owners_.find(&operation);
  return found == owners_.end() ? nullptr : found->second;
}

}  // namespace reef::gateway
