#include "service/eventbridge/schedules.h"

#include "aws/schedule.h"
#include "base/random.h"
#include "engine/store/shard.h"
#include "service/eventbridge/router.h"

namespace reef::service::eventbridge {

Reply<void> check_schedule(const std::string& expression) {
  const auto schedule = aws::parse_schedule(expression);
  if (!schedule || std::holds_alternative<aws::AtSchedule>(*schedule)) return Err(invalid("ScheduleExpression", ""));
  return {};
}

void Schedules::start() {
  last_ = store::Shard::control().now();
  arm();
}

void Schedules::arm() {
  store::Shard& control = store::Shard::control();
  if (timer_ != 0) control.reactor().cancel(timer_);
  timer_ = 0;
  std::optional<Time> first;
  for (const auto& rule : book_.rules()) {
    if (rule->schedule.empty() || !rule->is_enabled()) continue;
    const auto schedule = aws::parse_schedule(rule->schedule);
    const auto next = schedule ? aws::next_time(*schedule, rule->created, std::max(last_, rule->created)) : std::nullopt;
    if (next && (!first || *next < *first)) first = next;
  }
  if (!first || stopping_) return;
  timer_ = control.reactor().at(*first, [this] {
    timer_ = 0;
    if (stopping_) return;
    fire(store::Shard::control().now());
    arm();
  });
}

// One event for each time that has come, also when several did because the clock was moved on; at most a day's worth.
void Schedules::fire(Time now) {
  constexpr int kCatchUpMax = 1440;
  for (const auto& rule : book_.rules()) {
    if (rule->schedule.empty() || !rule->is_enabled()) continue;
    const auto schedule = aws::parse_schedule(rule->schedule);
    if (!schedule) continue;
    auto next = aws::next_time(*schedule, rule->created, std::max(last_, rule->created));
    for (int i = 0; next && *next <= now && i < kCatchUpMax; ++i) {
      const events::Event event{.id = make_uuid(thread_random()), .detail_type = "Scheduled Event", .source = "aws.events", .account = rule->bus.account,
                                .region = rule->bus.region, .time = *next, .resources = {rule->arn()}, .detail = "{}", .replay_name = ""};
      router_.trigger(rule, events::to_json(event)).detach();
      next = aws::next_time(*schedule, rule->created, *next);
    }
  }
  last_ = now;
}

}  // namespace reef::service::eventbridge
