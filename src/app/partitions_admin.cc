#include "app/partitions_admin.h"

#include <fmt/format.h>

#include "app/json_reply.h"
#include "engine/store/records.h"
#include "engine/store/shard.h"
#include "gateway/identify.h"
#include "wire/json.h"

namespace reef::app {
namespace {

using wire::Json;

constexpr std::string_view kRecord = "network/partitions";

Json list(const network::Networks& networks) {
  Json out = Json::array();
  const auto view = networks.view();
  for (const network::Partition& one : networks.partitions()) {
    Json json = Json::object({{"a", one.a}, {"b", one.b}, {"interfacesOfA", view->count_called(one.a)}, {"interfacesOfB", view->count_called(one.b)}});
    if (one.until) json.set("until", format_iso8601(*one.until));
    out.push_back(std::move(json));
  }
  return Json::object({{"partitions", std::move(out)}});
}

void keep(const network::Networks& networks) {
  Json out = Json::array();
  for (const network::Partition& one : networks.partitions()) {
    Json json = Json::object({{"a", one.a}, {"b", one.b}});
    if (one.until) json.set("untilMicros", to_micros(*one.until));
    out.push_back(std::move(json));
  }
  store::Records& records = store::Shard::control().records();
  if (networks.partitions().empty()) records.erase(kRecord);
  else records.put(kRecord, out.dump());
}

void heal_in_time(network::Networks& networks, const network::Partition& made) {
  store::Shard::control().reactor().at(*made.until, [&networks, made] {
    // Unless it was healed and made again meanwhile.
    for (const network::Partition& one : networks.partitions())
      if (one.a == made.a && one.b == made.b && one.until == made.until) {
        networks.remove_partition(made);
        networks.publish();
        keep(networks);
        return;
      }
  });
}

// POST {"a": ..., "b": ..., "seconds": 30}, DELETE {"a": ..., "b": ...} or {} for all.
Task<http::Response> change(network::Networks& networks, std::string method, Json order) {
  const network::Partition wanted{.a = order.text("a"), .b = order.text("b"), .until = {}};
  store::Shard& control = store::Shard::control();
  if (method == "GET") co_return json_reply(list(networks));
  if (method == "POST") {
    if (wanted.a.empty() || wanted.b.empty()) co_return problem("a and b must name a service, task, balancer, function or CIDR block");
    const double seconds = order["seconds"].as_double().value_or(0);
    network::Partition made = wanted;
    if (seconds > 0) made.until = control.now() + Duration(static_cast<std::int64_t>(seconds * 1e6));
    networks.remove_partition(wanted);
    networks.add_partition(made);
    if (made.until) heal_in_time(networks, made);
  } else if (method == "DELETE") {
    if (wanted.a.empty() != wanted.b.empty()) co_return problem("both sides, or neither to heal all");
    if (wanted.a.empty()) {
      for (const network::Partition& one : std::vector(networks.partitions())) networks.remove_partition(one);
    } else if (!networks.remove_partition(wanted)) {
      co_return problem(fmt::format("there is no partition between {} and {}", wanted.a, wanted.b), 404);
    }
  } else {
    co_return problem("GET, POST or DELETE", 405);
  }
  networks.publish();
  keep(networks);
  co_await control.committed();
  co_return json_reply(list(networks));
}

Task<http::Response> serve(network::Networks& networks, http::Request& request) {
  if (gateway::is_foreign_page(request)) co_return problem("pages of other sites may not steer atoll", 403);
  const auto body = co_await http::read_all(*request.body, 1 << 16);
  auto order = body && !body->empty() ? Json::parse(*body) : Json();
  if (!order) co_return problem("the body must be JSON");
  co_return co_await store::on(store::Shard::control(), [&] { return change(networks, request.method, *order); });
}

}  // namespace

void restore_partitions(network::Networks& networks) {
  store::Shard& control = store::Shard::control();
  const std::string* kept = control.records().find(kRecord);
  const auto list = kept ? Json::parse(*kept) : Json::array();
  if (!list) return;
  for (const Json& json : list->as_array()) {
    network::Partition one{.a = json.text("a"), .b = json.text("b"), .until = {}};
    if (const auto until = json["untilMicros"].as_int()) one.until = from_micros(*until);
    if (one.until && *one.until <= control.now()) continue;
    networks.add_partition(one);
    if (one.until) heal_in_time(networks, one);
  }
  networks.publish();
}

gateway::SideDoor make_partitions_admin(network::Networks& networks) {
  return {.wants = [](const http::Request& request) { return request.path == "/_atoll/partitions"; },
          .serve = [&networks](http::Request& request) { return serve(networks, request); }};
}

}  // namespace reef::app
