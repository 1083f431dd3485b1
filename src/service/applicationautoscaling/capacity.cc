#include "service/applicationautoscaling/capacity.h"

#include <fmt/format.h>

#include "aws/unmodelled_errors.h"
#include "base/text.h"

namespace reef::service::applicationautoscaling {

using wire::Json;

std::optional<EcsService> parse_ecs_service(std::string_view resource) {
  const auto parts = split(resource, '/');
  if (parts.size() != 3 || parts[0] != "service" || parts[1].empty() || parts[2].empty()) return std::nullopt;
  return EcsService{std::string(parts[1]), std::string(parts[2])};
}

aws::Reply<void> check_dimension(std::string_view space, std::string_view dimension, std::string_view resource) {
  if (!dimension.starts_with(space) || dimension.substr(space.size(), 1) != ":")
    return Err(aws::validation_exception("Unsupported service namespace, resource type or scalable dimension"));
  if (dimension != "ecs:service:DesiredCount") return Err(aws::not_implemented(fmt::format("Scaling of {}", dimension)));
  if (!parse_ecs_service(resource)) return Err(aws::validation_exception("Unsupported service namespace, resource type or scalable dimension"));
  return {};
}

Task<aws::Reply<std::int32_t>> read_capacity(aws::Caller& caller, const aws::Call& call, std::string resource) {
  const EcsService service = *parse_ecs_service(resource);
  const Json out = CO_TRY(co_await caller.invoke_json(call, "ecs", "DescribeServices", Json::object({{"cluster", service.cluster}, {"services", Json::array({service.service})}})));
  const Json& found = out["services"].at(0);
  if (found.is_null() || found.text("status") == "INACTIVE") co_return Err(aws::validation_exception(fmt::format("ECS service doesn't exist: {}", resource)));
  co_return static_cast<std::int32_t>(found["desiredCount"].as_int().value_or(0));
}

Task<aws::Reply<void>> write_capacity(aws::Caller& caller, const aws::Call& call, std::string resource, std::int32_t capacity) {
  const EcsService service = *parse_ecs_service(resource);
  CO_TRY(co_await caller.invoke_json(call, "ecs", "UpdateService", Json::object({{"cluster", service.cluster}, {"service", service.service}, {"desiredCount", capacity}})));
  co_return aws::Reply<void>();
}

}  // namespace reef::service::applicationautoscaling
