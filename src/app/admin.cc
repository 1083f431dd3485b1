#include "app/admin.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>

#include <fmt/format.h>

#include "app/clock_file.h"
#include "app/json_reply.h"
#include "app/storage.h"
#include "app/version.h"
#include "base/check.h"
#include "engine/store/journal.h"
#include "wire/json.h"

namespace reef::app {
namespace {

using wire::Json;

// The form that set-ups made for LocalStack look for.
Json localstack_health(gateway::Registry& registry) {
  Json services = Json::object();
  for (const auto& entry : registry.all()) services.set(entry->model->name, "available");
  return Json::object({{"services", services}, {"edition", "atoll"}, {"version", kVersion}});
}

std::uint64_t resident_bytes() {
  std::ifstream in("/proc/self/statm");
  std::uint64_t total = 0, resident = 0;
  in >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

// https://prometheus.io/docs/instrumenting/exposition_formats/
Task<http::Response> metrics(AdminContext& context) {
  std::string out;
  const auto family = [&out](std::string_view name, std::string_view type, std::string_view help) {
    out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
  };
  const auto calls = co_await context.spans.calls();
  family("atoll_calls_total", "counter", "Calls answered, by operation.");
  for (const auto& [name, counts] : calls) out += fmt::format("atoll_calls_total{{operation=\"{}\"}} {}\n", name, counts.calls);
  family("atoll_call_errors_total", "counter", "Calls answered with an error, by operation and whose fault.");
  for (const auto& [name, counts] : calls) {
    out += fmt::format("atoll_call_errors_total{{operation=\"{}\",fault=\"client\"}} {}\n", name, counts.client_errors);
    out += fmt::format("atoll_call_errors_total{{operation=\"{}\",fault=\"server\"}} {}\n", name, counts.server_errors);
  }
  family("atoll_call_seconds_total", "counter", "Time spent in calls, by operation.");
  for (const auto& [name, counts] : calls)
    out += fmt::format("atoll_call_seconds_total{{operation=\"{}\"}} {:.6f}\n", name, static_cast<double>(counts.micros) / 1e6);
  family("atoll_resident_bytes", "gauge", "Resident memory of the daemon.");
  out += fmt::format("atoll_resident_bytes {}\n", resident_bytes());
  family("atoll_journal_bytes", "gauge", "Bytes of journal and checkpoint on disk, by shard.");
  for (const auto& shard : context.storage.shards) {
    store::Shard& one = *shard;
    const std::uint64_t bytes = co_await store::on(one, [&]() -> Task<std::uint64_t> { co_return one.journal().bytes_on_disk(); });
    out += fmt::format("atoll_journal_bytes{{shard=\"{}\"}} {}\n", one.index(), bytes);
  }
  family("atoll_bugs_total", "counter", "Conditions met that should not be possible.");
  out += fmt::format("atoll_bugs_total {}\n", bug_count());
  family("atoll_uptime_seconds", "gauge", "Since the daemon started.");
  out += fmt::format("atoll_uptime_seconds {:.3f}\n", static_cast<double>(io::monotonic_micros() - context.started_micros) / 1e6);
  http::Response response;
  response.set("content-type", "text/plain; version=0.0.4");
  response.body = std::move(out);
  co_return response;
}

Task<http::Response> reset(AdminContext& context) {
  co_await store::on(store::Shard::control(), [&]() -> Task<void> {
    for (const auto& hook : context.resets.hooks) co_await hook();
    co_return;
  });
  for (std::size_t i = 0; i < context.storage.shards.size(); ++i)
    co_await store::on(*context.storage.shards[i], [&]() -> Task<void> {
      context.storage.reset_shard(i);
      co_return;
    });
  context.keys.clear();
  co_await store::on(store::Shard::control(), [&]() -> Task<void> {
    if (context.storage.kv->opened()) context.storage.kv->erase_range("", std::string(16, '\xff'));
    for (const auto& entry : context.registry.all()) entry->service->reset();
    co_await store::Shard::control().committed();
  });
  io::SystemClock& clock = store::Shard::control().reactor().clock();
  if (const auto kept = forget_clock(context.storage.folder, clock); !kept)
    co_return json_reply(Json::object({{"message", kept.error().message}}), 500);
  for (const auto& shard : context.storage.shards) shard->reactor().clock_moved();
  co_return json_reply(Json::object({{"status", "ok"}}));
}

// POST {"action": "freeze" | "resume"} or {"action": "advance", "seconds": 90}.
Task<http::Response> steer_clock(AdminContext& context, http::Request& request) {
  io::SystemClock& clock = store::Shard::control().reactor().clock();
  if (request.method == "POST") {
    const auto body = co_await http::read_all(*request.body, 4096);
    const auto order = wire::Json::parse(body ? *body : std::string());
    const std::string action = order ? order->text("action") : "";
    if (action == "freeze") clock.freeze();
    else if (action == "resume") clock.resume();
    else if (action == "advance" && (*order)["seconds"].as_double().value_or(-1) >= 0)
      clock.advance(Duration(static_cast<std::int64_t>(*(*order)["seconds"].as_double() * 1e6)));
    else
      co_return json_reply(Json::object({{"message", "action is freeze, resume, or advance with seconds of 0 or more"}}), 400);
    if (const auto kept = save_clock(context.storage.folder, clock); !kept)
      co_return json_reply(Json::object({{"message", kept.error().message}}), 500);
    for (const auto& shard : context.storage.shards) shard->reactor().clock_moved();
  }
  co_return json_reply(Json::object({{"now", format_iso8601(clock.now(), true)}, {"frozen", clock.frozen()}}));
}

// POST {"service": "sqs", "operation": "ListQueues", "input": {…}, "region": …, "account": …}: any served operation, as
// JSON in the model's member names. The command uses it; errors come as {"code", "message"} with their status.
Task<http::Response> call_operation(AdminContext& context, http::Request& request) {
  const auto body = co_await http::read_all(*request.body, 64u << 20);
  const auto order = wire::Json::parse(body ? *body : std::string());
  if (!order) co_return json_reply(Json::object({{"code", "BadRequest"}, {"message", "the body must be JSON"}}), 400);
  const auto or_default = [](const std::string& given, const std::string& fallback) { return given.empty() ? fallback : given; };
  aws::Call call = context.caller.internal_call(or_default(order->text("account"), context.auth.default_account),
                                                or_default(order->text("region"), context.auth.default_region));
  call.endpoint = "http://" + std::string(request.host);
  const auto reply = co_await context.caller.invoke_json(call, order->text("service"), order->text("operation"), (*order)["input"]);
  if (!reply) co_return json_reply(Json::object({{"code", reply.error().code}, {"message", reply.error().message}}), reply.error().status);
  co_return json_reply(*reply);
}

Task<http::Response> traces(AdminContext& context, http::Request& request) {
  const std::string wanted(request.query.starts_with("trace=") ? request.query.substr(6) : std::string_view{});
  const auto spans = co_await context.spans.select([&](const telemetry::Span& s) { return wanted.empty() || s.trace == wanted; }, 1000);
  Json out = Json::array();
  for (const auto& span : spans)
    out.push_back(Json::object({{"trace", span.trace}, {"id", span.id}, {"parent", span.parent}, {"name", span.name},
                                {"account", span.account}, {"region", span.region}, {"start", format_iso8601(span.start, true)},
                                {"micros", span.duration.count()}, {"status", span.status}, {"error", span.error}}));
  co_return json_reply(Json::object({{"spans", std::move(out)}}));
}

Task<http::Response> serve(AdminContext& context, http::Request& request) {
  const std::string_view path = request.path;
  if (gateway::is_foreign_page(request))
    co_return json_reply(Json::object({{"message", "pages of other sites may not steer atoll"}}), 403);
  const bool is_head = request.method == "HEAD";
  if (path == "/_localstack/health" || path == "/health") {
    if (request.method == "POST") co_return json_reply(Json::object({{"status", "ok"}}));
    co_return is_head ? http::Response{} : json_reply(localstack_health(context.registry));
  }
  if (path == "/_atoll/health")
    co_return json_reply(Json::object({{"status", "running"}, {"version", kVersion}, {"pid", ::getpid()},
                                          {"uptimeSeconds", static_cast<double>((io::monotonic_micros() - context.started_micros) / 1000) / 1000.0}}));
  if (path == "/_localstack/info" || path == "/_localstack/init")
    co_return json_reply(Json::object({{"version", kVersion}, {"edition", "atoll"}, {"is_license_activated", false}, {"completed", true},
                                          {"uptime", (io::monotonic_micros() - context.started_micros) / 1'000'000}}));
  if (path == "/_atoll/metrics") co_return co_await metrics(context);
  if (path == "/_atoll/traces") co_return co_await traces(context, request);
  if (path == "/_atoll/call") co_return co_await call_operation(context, request);
  if (path == "/_atoll/clock") co_return co_await steer_clock(context, request);
  if (path == "/_atoll/names") {
    Json out = Json::object();
    for (const auto& [name, address] : context.names.all()) out.set(name, address);
    co_return json_reply(out);
  }
  if (path == "/_atoll/coverage") co_return json_reply(coverage(context.registry));
  if (path == "/_atoll/reset" || path == "/moto-api/reset" || path == "/_localstack/state/reset") {
    if (request.method != "POST") co_return json_reply(Json::object({{"message", "POST resets everything"}}), 405);
    co_return co_await reset(context);
  }
  co_return json_reply(Json::object({{"message", fmt::format("there is no {}", path)}}), 404);
}

}  // namespace

gateway::SideDoor make_admin(AdminContext& context) {
  return {.wants =
              [](const http::Request& request) {
                return request.path.starts_with("/_atoll/") || request.path.starts_with("/_localstack/") ||
                       request.path == "/moto-api/reset" || (request.path == "/health" && !request.has_header("authorization"));
              },
          .serve = [&context](http::Request& request) { return serve(context, request); }};
}

Json coverage(gateway::Registry& registry) {
  Json out = Json::object();
  for (const auto& entry : registry.all()) {
    std::vector<std::string> served, missing;
    for (const auto& [name, found] : entry->operations) (found.served ? served : missing).push_back(name);
    std::sort(served.begin(), served.end());
    std::sort(missing.begin(), missing.end());
    Json service = Json::object({{"served", Json::array()}, {"missing", Json::array()}, {"resources", Json::array()}});
    for (const std::string& name : served) service.find("served")->push_back(name);
    for (const std::string& name : missing) service.find("missing")->push_back(name);
    for (const aws::ResourceType* type : entry->service->definition().resources) service.find("resources")->push_back(type->name);
    out.set(entry->model->name, std::move(service));
  }
  return out;
}

}  // namespace reef::app
