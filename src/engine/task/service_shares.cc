// The part of ServiceMachine that keeps several versions side by side, each with its share of the desired count.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "engine/task/service_machine.h"

namespace reef::task {

const Deployment* ServiceMachine::deployment(std::string_view id) const {
  const auto found = std::find_if(deployments_.begin(), deployments_.end(), [&](const Deployment& one) { return one.id == id; });
  return found == deployments_.end() ? nullptr : &*found;
}

void ServiceMachine::set_share(std::string_view id, double percent, Time now) {
  Deployment* one = find(id);
  if (!one || one->share == percent) return;
  one->share = percent;
  one->updated = now;
  announced_steady_ = false;
}

void ServiceMachine::retire(std::string_view id) {
  if (Deployment* one = find(id)) {
    one->share = 0;
    one->is_retired = true;
  }
}

void ServiceMachine::complete(std::string_view id, Time now) {
  Deployment* one = find(id);
  if (!one) return;
  one->state = RolloutState::kCompleted;
  one->reason = fmt::format("ECS deployment {} completed.", one->id);
  one->updated = now;
  last_good_ = one->version;
}

void ServiceMachine::fail(std::string_view id, std::string reason, Time now) {
  Deployment* one = find(id);
  if (!one) return;
  one->state = RolloutState::kFailed;
  one->reason = std::move(reason);
  one->updated = now;
}

int ServiceMachine::wanted(const Deployment& one) const { return static_cast<int>(std::ceil(desired_ * one.share / 100 - 1e-9)); }

int ServiceMachine::serving(std::string_view id, Time now) const {
  return static_cast<int>(std::count_if(members_.begin(), members_.end(), [&](const auto& one) { return one.second.deployment == id && serves(one.second, now); }));
}

bool ServiceMachine::is_broken(std::string_view id) const {
  const Deployment* one = deployment(id);
  return one && breaker_opens(*one);
}

void ServiceMachine::apply_shares(Time now, std::vector<Change>& changes) {
  bool is_there = true;
  for (Deployment& one : deployments_) {
    const int want = wanted(one);
    std::vector<std::pair<Time, std::string>> own;  // the youngest go first, those that do not serve before the others
    for (const auto& [id, member] : members_)
      if (member.deployment == one.id && member.state != MemberState::kStopping) own.emplace_back(serves(member, now) ? member.created : Time::max(), id);
    std::sort(own.rbegin(), own.rend());
    for (std::size_t i = 0; i + static_cast<std::size_t>(want) < own.size(); ++i) {
      members_.find(own[i].second)->second.state = MemberState::kStopping;
      changes.push_back({Change::Kind::kStop, own[i].second, fmt::format("Scaling activity initiated by deployment {}", one.id)});
    }
    const int serving_now = serving(one.id, now);
    if (serving_now > 0 && serving_now >= want) one.failed_tasks = 0;
    is_there = is_there && serving_now == want && count(one.id, MemberState::kPending) + count(one.id, MemberState::kStopping) == 0;
    if (one.state == RolloutState::kFailed || (one.not_before && now < *one.not_before)) continue;
    one.not_before.reset();
    int room = want - static_cast<int>(own.size());
    if (one.failed_tasks > 2) room = std::min(room, 1);  // after failures one at a time: each may be the one that tells
    for (; room > 0; --room) changes.push_back({Change::Kind::kRun, one.id, {}});
  }
  std::erase_if(deployments_, [&](const Deployment& one) {
    return one.is_retired && std::none_of(members_.begin(), members_.end(), [&](const auto& member) { return member.second.deployment == one.id; });
  });
  if (is_there && !announced_steady_) changes.push_back({Change::Kind::kEvent, {}, "has reached a steady state."});
  announced_steady_ = is_there;
}

}  // namespace reef::task
