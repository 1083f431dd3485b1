#include "service/eventbridge/eventbridge.h"

#include "base/random.h"
#include "engine/store/shard.h"

namespace reef::service::eventbridge {

EventBridge::EventBridge(Parts& parts) : archives(parts), connections(parts), router(parts, book, archives, connections), schedules(book, router) {
  parts.get<events::Publisher>().set_sink([this](events::Event event) { return take(std::move(event)); });
}

void EventBridge::start() {
  book.load();
  archives.start(router);
  router.start();
  schedules.start();
  is_started_ = true;
  for (events::Event& event : std::exchange(early_, {})) take(std::move(event)).detach();
}

Task<void> EventBridge::take(events::Event event) {
  store::Shard& control = store::Shard::control();
  co_await control.enter();
  if (!is_started_) {
    early_.push_back(std::move(event));
    co_return;
  }
  if (event.id.empty()) event.id = make_uuid(thread_random());
  if (event.time == Time{}) event.time = control.now();
  const BusName bus{event.account, event.region, kDefaultBus};
  co_await router.route(bus, std::move(event));
}

void EventBridge::reset() {
  book.forget();
  archives.forget();
  connections.forget();
  schedules.arm();
}

bool allows(const Bus& bus, std::string_view account) {
  for (const wire::Json& statement : bus.policy["Statement"].as_array()) {
    if (statement.text("Effect") != "Allow") continue;
    const wire::Json& principal = statement["Principal"];
    const wire::Json& aws = principal.is_object() ? principal["AWS"] : principal;
    const auto is_meant = [&](const wire::Json& one) { return one.as_string() == "*" || one.as_string().find(account) != std::string::npos; };
    if (is_meant(aws)) return true;
    for (const wire::Json& one : aws.as_array())
      if (is_meant(one)) return true;
  }
  return false;
}

}  // namespace reef::service::eventbridge
