#include "engine/edge/mesh/checks.h"

#include <algorithm>

#include "engine/edge/balancer/probe.h"

namespace reef::edge::mesh {

Checks::~Checks() {
  for (const auto& [key, one] : all_) reactor_.cancel(one->timer);
}

void Checks::apply(const HealthSettings& settings, const std::vector<std::shared_ptr<Target>>& targets) {
  const bool is_new = !(settings == settings_);
  settings_ = settings;
  const Time now = reactor_.now();
  for (auto it = all_.begin(); it != all_.end();) {
    const bool stays = std::any_of(targets.begin(), targets.end(), [&](const auto& target) { return target.get() == it->first; });
    if (!stays) {
      reactor_.cancel(it->second->timer);
      it->second->is_gone = true;
      it = all_.erase(it);
      continue;
    }
    if (is_new) {
      it->second->health.settings_changed(settings_, now);
      schedule(it->second);
    }
    ++it;
  }
  for (const auto& target : targets) {
    auto& one = all_[target.get()];
    if (one) continue;
    one = std::make_shared<One>();
    one->target = target;
    one->health.set_used(true, settings_, now);
    schedule(one);
  }
}

bool Checks::is_healthy(const std::shared_ptr<Target>& target) const {
  const auto found = all_.find(target.get());
  return found != all_.end() && found->second->health.state() == HealthState::kHealthy;
}

void Checks::schedule(const std::shared_ptr<One>& one) {
  reactor_.cancel(std::exchange(one->timer, 0));
  if (one->checking || one->is_gone) return;
  one->timer = reactor_.at(one->health.next_check(), [this, one] {
    one->timer = 0;
    check(this, alive_, one).detach();
  });
}

Task<void> Checks::check(Checks* checks, std::weak_ptr<bool> alive, std::shared_ptr<One> one) {
  one->checking = true;
  const HealthSettings settings = checks->settings_;
  one->health.began(settings, checks->reactor_.now());
  const CheckResult result = co_await probe(checks->reactor_, checks->dialer_, {}, one->target->ip, settings.port != 0 ? settings.port : one->target->port, settings);
  one->checking = false;
  if (alive.expired() || one->is_gone) co_return;
  const bool was = one->health.state() == HealthState::kHealthy;
  one->health.finished(result, settings, checks->reactor_.now());
  checks->schedule(one);
  if (was != (one->health.state() == HealthState::kHealthy)) checks->on_change_();
}

}  // namespace reef::edge::mesh
