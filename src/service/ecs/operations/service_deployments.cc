// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServiceDeployments.html
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListServiceDeployments.html
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_StopServiceDeployment.html
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContinueServiceDeployment.html
// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_DescribeServiceRevisions.html
#include <fmt/format.h>

#include "base/encoding.h"
#include "base/text.h"
#include "service/ecs/operations.h"
#include "service/ecs/operations/pages.h"

namespace reef::service::ecs::operations {
namespace {

constexpr std::size_t kArnsMax = 20;


// arn:aws:ecs:region:account:service-deployment/cluster/service/id, or service-revision/...
ServicePtr service_of(Ecs& ecs, const Call& call, std::string_view arn, std::string_view kind) {
  const auto parts = split(arn, '/');
  if (parts.size() != 4 || !parts[0].ends_with(fmt::format(":{}:{}:{}", call.region, call.account, kind))) return nullptr;
  const auto found = ecs.services.find(scope(call, fmt::format("{}/{}", parts[1], parts[2])));
  return found == ecs.services.end() ? nullptr : found->second;
}

struct Found {
  ServicePtr service;
  model::ServiceDeployment* record = nullptr;
};
Found find_record(Ecs& ecs, const Call& call, std::string_view arn) {
  Found out{.service = service_of(ecs, call, arn, "service-deployment")};
  if (out.service)
    for (model::ServiceDeployment& one : out.service->history)
      if (one.service_deployment_arn == arn) out.record = &one;
  return out;
}

bool is_under_way(std::string_view status) { return status == "PENDING" || status == "IN_PROGRESS" || status == "ROLLBACK_REQUESTED" || status == "ROLLBACK_IN_PROGRESS" || status == "STOP_REQUESTED"; }

aws::Error not_found(const std::string& arn) { return {errors::kServiceDeploymentNotFoundException, fmt::format("The service deployment {} was not found.", arn)}; }

// Goes back to what served before, whatever the service's rule for failures says.
Reply<void> roll_back(Ecs& ecs, const Found& found, Time now) {
  StoredService& service = *found.service;
  const std::string& status = *found.record->status;
  if (status.starts_with("ROLLBACK_") && is_under_way(status)) return {};
  if (!is_under_way(status)) return Err(aws::Error(errors::kConflictException, fmt::format("The service deployment cannot be stopped because it is in the {} state.", status)));
  const std::string reason = "Service deployment rolled back because it was stopped by a user.";
  if (service.shift.is_active()) {
    if (service.shift.state().source.empty()) return Err(aws::Error(errors::kConflictException, "There is no earlier service revision to roll back to."));
    service.shift.roll_back(reason, now);
    sync_records(service, now);
  } else {
    if (service.machine.last_good().empty()) return Err(aws::Error(errors::kConflictException, "There is no earlier service revision to roll back to."));
    service.machine.fail(service.machine.deployments().front().id, reason, now);
    sync_records(service, now);
    new_deployment(ecs, service, service.machine.last_good(), true, now);
  }
  return {};
}

}  // namespace

Task<Reply<model::DescribeServiceDeploymentsOutput>> DescribeServiceDeployments(Ecs& ecs, const model::DescribeServiceDeploymentsInput& in, const Call& call) {
  if (in.service_deployment_arns.empty()) co_return Err(invalid("serviceDeploymentArns cannot be empty."));
  if (in.service_deployment_arns.size() > kArnsMax) co_return Err(invalid(fmt::format("serviceDeploymentArns can have at most {} items.", kArnsMax)));
  model::DescribeServiceDeploymentsOutput out;
  out.service_deployments.emplace();
  out.failures.emplace();
  for (const std::string& arn : in.service_deployment_arns) {
    const Found found = find_record(ecs, call, arn);
    if (found.record) out.service_deployments->push_back(describe_record(*found.service, *found.record));
    else out.failures->push_back({.arn = arn, .reason = "MISSING", .detail = {}});
  }
  co_return out;
}

Task<Reply<model::ListServiceDeploymentsOutput>> ListServiceDeployments(Ecs& ecs, const model::ListServiceDeploymentsInput& in, const Call& call) {
  const StoredCluster* cluster = CO_TRY(find_cluster(ecs, call, in.cluster));
  const ServicePtr service = find_service(ecs, call, *cluster, in.service);
  if (!service) co_return Err(aws::Error(errors::kServiceNotFoundException, "Service not found."));
  const auto after = in.next_token ? base64url_decode(*in.next_token) : std::string();
  if (!after) co_return Err(invalid("Invalid token"));
  const auto limit = static_cast<std::size_t>(std::clamp(in.max_results.value_or(20), 1, 100));
  model::ListServiceDeploymentsOutput out;
  auto& list = out.service_deployments.emplace();
  bool is_past = after->empty();
  for (const model::ServiceDeployment& one : service->history) {
    if (!is_past) {
      is_past = one.service_deployment_arn == *after;
      continue;
    }
    if (in.status && !in.status->empty() && std::find(in.status->begin(), in.status->end(), *one.status) == in.status->end()) continue;
    if (in.created_at && ((in.created_at->before && *one.created_at >= *in.created_at->before) || (in.created_at->after && *one.created_at <= *in.created_at->after))) continue;
    if (list.size() == limit) {
      out.next_token = base64url_encode(*list.back().service_deployment_arn);
      break;
    }
    list.push_back({.service_deployment_arn = one.service_deployment_arn, .service_arn = one.service_arn, .cluster_arn = one.cluster_arn, .started_at = one.started_at, .created_at = one.created_at,
                    .finished_at = one.finished_at, .target_service_revision_arn = one.target_service_revision->arn, .status = one.status, .status_reason = one.status_reason});
  }
  co_return out;
}

Task<Reply<model::StopServiceDeploymentOutput>> StopServiceDeployment(Ecs& ecs, const model::StopServiceDeploymentInput& in, const Call& call) {
  if (in.stop_type && *in.stop_type != "ROLLBACK") co_return Err(invalid(fmt::format("Invalid stopType: {}. The valid value is ROLLBACK.", *in.stop_type)));
  const Found found = find_record(ecs, call, in.service_deployment_arn);
  if (!found.record) co_return Err(not_found(in.service_deployment_arn));
  CO_TRY(roll_back(ecs, found, call.now));
  drive(ecs, found.service);
  co_await committed();
  co_return model::StopServiceDeploymentOutput{.service_deployment_arn = in.service_deployment_arn};
}

Task<Reply<model::ContinueServiceDeploymentOutput>> ContinueServiceDeployment(Ecs& ecs, const model::ContinueServiceDeploymentInput& in, const Call& call) {
  const Found found = find_record(ecs, call, in.service_deployment_arn);
  if (!found.record) co_return Err(not_found(in.service_deployment_arn));
  const bool is_current = found.record == &found.service->history.front() && found.service->shift.is_active();
  if (!is_current || !found.service->shift.continue_hook(in.hook_id, in.action.value_or("CONTINUE") != "ROLLBACK", call.now))
    co_return Err(invalid(fmt::format("The lifecycle hook {} is not awaiting an action.", in.hook_id)));
  drive(ecs, found.service);
  co_await committed();
  co_return model::ContinueServiceDeploymentOutput{.service_deployment_arn = in.service_deployment_arn};
}

Task<Reply<model::DescribeServiceRevisionsOutput>> DescribeServiceRevisions(Ecs& ecs, const model::DescribeServiceRevisionsInput& in, const Call& call) {
  if (in.service_revision_arns.empty()) co_return Err(invalid("serviceRevisionArns cannot be empty."));
  if (in.service_revision_arns.size() > kArnsMax) co_return Err(invalid(fmt::format("serviceRevisionArns can have at most {} items.", kArnsMax)));
  model::DescribeServiceRevisionsOutput out;
  out.service_revisions.emplace();
  out.failures.emplace();
  for (const std::string& arn : in.service_revision_arns) {
    const ServicePtr service = service_of(ecs, call, arn, "service-revision");
    const auto found = service ? service->revisions.find(arn) : decltype(service->revisions.find(arn)){};
    if (service && found != service->revisions.end()) out.service_revisions->push_back(found->second);
    else out.failures->push_back({.arn = arn, .reason = "MISSING", .detail = {}});
  }
  co_return out;
}

}  // namespace reef::service::ecs::operations
