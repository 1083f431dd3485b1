// The operations that Application Auto Scaling serves.
#pragma once

#include "aws/service.h"
#include "aws/unmodelled_errors.h"
#include "base/encoding.h"
#include "base/text.h"
#include "engine/store/shard.h"
#include "service/applicationautoscaling/scaler.h"

namespace reef::service::applicationautoscaling {

namespace errors = aws::applicationautoscaling::errors;
template <class T>
using Reply = aws::Reply<T>;
using aws::Call;

struct ApplicationAutoScaling {
  explicit ApplicationAutoScaling(Parts& parts) : caller(parts.get<aws::Caller>()), alarm_targets(parts.get<metrics::AlarmTargets>()), scaler(caller, parts.get<events::Publisher>()) {}
  void start() { scaler.start(alarm_targets); }
  void stop() { scaler.stop(); }
  aws::Caller& caller;
  metrics::AlarmTargets& alarm_targets;
  Scaler scaler;
};

namespace operations {

#define SCALING_OPERATIONS(V)                                                                                                  \
  V(RegisterScalableTarget) V(DescribeScalableTargets) V(DeregisterScalableTarget) V(PutScalingPolicy) V(DescribeScalingPolicies) \
  V(DeleteScalingPolicy) V(PutScheduledAction) V(DescribeScheduledActions) V(DeleteScheduledAction) V(DescribeScalingActivities)  \
  V(TagResource) V(UntagResource) V(ListTagsForResource)
#define SCALING_OPERATION(Name) Task<Reply<model::Name##Output>> Name(ApplicationAutoScaling& service, const model::Name##Input& in, const Call& call);
SCALING_OPERATIONS(SCALING_OPERATION)
#undef SCALING_OPERATION

}  // namespace operations

// Of a listing's target: the filters that all listings share.
inline bool is_wanted(const Target& target, const std::optional<std::string>& resource, const std::optional<std::string>& dimension) {
  return (!resource || target.target.resource_id == *resource) && (!dimension || target.target.scalable_dimension == *dimension);
}

// Cuts what was found to a page; the token counts what earlier pages had.
template <class T>
Reply<std::optional<std::string>> cut(std::vector<T>& all, const std::optional<std::string>& token, const std::optional<std::int32_t>& limit) {
  std::size_t skip = 0;
  if (token) {
    const auto decoded = base64url_decode(*token);
    const auto number = decoded ? parse_int<std::size_t>(*decoded) : std::nullopt;
    if (!number) return Err(aws::Error(errors::kInvalidNextTokenException, "Invalid next token"));
    skip = std::min(*number, all.size());
  }
  all.erase(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(skip));
  const auto most = static_cast<std::size_t>(limit.value_or(50));
  if (all.size() <= most) return std::optional<std::string>();
  all.erase(all.begin() + static_cast<std::ptrdiff_t>(most), all.end());
  return std::optional<std::string>(base64url_encode(std::to_string(skip + most)));
}

inline auto committed() { return store::Shard::control().committed(); }
Reply<Target> need_target(const Call& call, const std::string& space, const std::string& dimension, const std::string& resource);

}  // namespace reef::service::applicationautoscaling
