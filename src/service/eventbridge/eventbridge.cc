#include "service/eventbridge/eventbridge.h"

#include "base/random.h"
#include "engine/store/shard.h"

namespace reef::service::eventbridge {

EventBridge::EventBridge(Parts& parts)
    : archives(parts), router(parts, book, archives), schedules(book, router), publisher(parts.get<events::Publisher>()) {}

void EventBridge::start() {
  book.load();
  archives.start(router);
  router.start();
  schedules.start();
  publisher.set_sink([this](events::Event event) {
    [](EventBridge& self, events::Event one) -> Task<void> {
      store::Shard& control = store::Shard::control();
      co_await control.enter();
      if (one.id.empty()) one.id = make_uuid(thread_random());
      if (one.time == Time{}) one.time = control.now();
      const BusName bus{one.account, one.region, kDefaultBus};
      co_await self.router.route(bus, std::move(one));
    }(*this, std::move(event))
                                            .detach();
  });
}

void EventBridge::reset() {
  book.forget();
  archives.forget();
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
