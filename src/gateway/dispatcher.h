// Runs operations: for the gateway's requests and for calls that services make of each other. The one place where
// validation, placement, tracing and counting happen, so that both go the same way.
#pragma once

#include <functional>
#include <string>

#include "aws/caller.h"
#include "engine/telemetry/spans.h"
#include "gateway/registry.h"

namespace reef::gateway {

class Dispatcher final : public aws::Caller {
 public:
  Dispatcher(Registry& registry, telemetry::Spans& spans, std::string default_endpoint)
      : registry_(registry), spans_(spans), endpoint_(std::move(default_endpoint)) {}

  // Validates `input` and runs the operation where its service belongs; comes back to the calling shard.
  // `missing` is what decoding found absent.
  Task<aws::Reply<aws::Value>> run(const ServiceEntry& service, const aws::Operation& operation, const void* input,
                                   const aws::MissingMembers& missing, aws::Call& call);

  Task<aws::Reply<aws::Value>> invoke(const aws::Call& from, const aws::OperationModel& operation,
                                      const void* input) override;
  Task<aws::Reply<wire::Json>> invoke_json(const aws::Call& from, std::string_view service, std::string_view operation,
                                           const wire::Json& input) override;
  aws::Call internal_call(std::string account, std::string region) override;
  const aws::ResourceType* find_resource_type(std::string_view name) override;
  std::vector<const aws::ResourceType*> resource_types() override;

  // Called once when services are registered after the Dispatcher was made (they take it in their constructors).
  void index_resources();

 private:
  aws::Call derived_call(const aws::Call& from, const ServiceEntry& service, const aws::OperationModel& operation) const;
  Registry& registry_;
  telemetry::Spans& spans_;
  std::string endpoint_;
  TextMap<const aws::ResourceType*> resources_;
};

std::string new_request_id();

}  // namespace reef::gateway
