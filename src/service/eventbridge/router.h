// From a bus to the targets of the rules that match: durable from the moment an event was taken, retried, and put into
// dead-letter queues. https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-rule-event-delivery.html
#pragma once

#include <string>

#include "aws/caller.h"
#include "base/parts.h"
#include "base/task.h"
#include "engine/delivery/deliveries.h"
#include "engine/events/event.h"
#include "engine/metrics/counters.h"
#include "service/eventbridge/book.h"

namespace reef::service::eventbridge {

class Archives;
class Connections;

class Router {
 public:
  Router(Parts& parts, Book& book, Archives& archives, Connections& connections);
  void start();

  // To every rule of the bus that matches; stored when it returns. An event for no bus is dropped, as AWS drops it.
  // `hops`: how many buses passed it on already. `only`: of a replay, the rules that are meant; all when empty.
  Task<void> route(BusName bus, events::Event event, int hops = 0, std::vector<std::string> only = {});
  // To the targets of one rule, whatever its pattern says.
  Task<void> trigger(std::shared_ptr<Rule> rule, std::string event, int hops = 0);

 private:
  struct Delivery;
  Task<delivery::Verdict> attempt(const delivery::Entry& entry);
  Task<Reply<void>> invoke(const Rule& rule, const model::Target& target, const Delivery& delivery);
  Task<Reply<void>> run_task(const Call& call, const model::Target& target, const std::string& input);
  Task<Reply<void>> log(const Call& call, const model::Target& target, const Delivery& delivery, const std::string& input);
  Task<void> give_up(const Rule& rule, const model::Target& target, const Delivery& delivery, const aws::Error& error, std::uint32_t retries, std::string_view exhausted);
  void count(const Rule& rule, const char* metric);

  aws::Caller& caller_;
  delivery::Deliveries& deliveries_;
  metrics::Counters& counters_;
  Book& book_;
  Archives& archives_;
  Connections& connections_;
};


}  // namespace reef::service::eventbridge
