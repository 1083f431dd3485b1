#include "cli/partitions.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "cli/client.h"
#include "cli/durations.h"

namespace reef::cli {
namespace {

using wire::Json;

int steer(const Target& target, const char* method, const Json& order) {
  const auto reply = send(target, method, "/_atoll/partitions", order.is_null() ? "" : order.dump());
  if (!reply) return complain({"", "nothing answers at port " + std::to_string(target.port) + ": start it with `atoll start`"});
  const auto json = Json::parse(reply->body);
  if (!json || reply->status >= 300) return complain({"", json ? json->text("message") : reply->body});
  const Json& all = (*json)["partitions"];
  if (all.size() == 0) std::printf("no partitions\n");
  for (const Json& one : all.as_array()) {
    const auto side = [&](const char* name, const char* count) { return one.text(name) + " (" + std::to_string(one[count].as_int().value_or(0)) + " now)"; };
    const std::string until = one.text("until");
    std::printf("%s | %s%s\n", side("a", "interfacesOfA").c_str(), side("b", "interfacesOfB").c_str(), until.empty() ? "" : (" until " + until).c_str());
  }
  return 0;
}

}  // namespace

void add_partition_commands(CLI::App& app, int& status) {
  static Target target;
  static std::string a, b, how_long;
  const auto with_port = [](CLI::App* command) {
    command->add_option("--port", target.port, "where atoll listens")->capture_default_str()->envname("ATOLL_PORT");
    return command;
  };
  constexpr const char* kSide = "an ECS service, task id, load balancer, function or CIDR block";
  CLI::App* partition = with_port(app.add_subcommand("partition", "Cut every connection between two sets of workloads, open ones too."));
  partition->add_option("A", a, kSide)->required();
  partition->add_option("B", b, kSide)->required();
  partition->add_option("--for", how_long, "heals by itself after 30s, 5m, ...");
  partition->callback([&] {
    Json order = Json::object({{"a", a}, {"b", b}});
    if (!how_long.empty()) {
      const double seconds = parse_duration(how_long);
      if (seconds <= 0) {
        status = complain({"", "'" + how_long + "' is no duration: try 30s or 5m"});
        return;
      }
      order.set("seconds", seconds);
    }
    status = steer(target, "POST", order);
  });
  CLI::App* heal = with_port(app.add_subcommand("heal", "End a partition, or all of them."));
  heal->add_option("A", a, kSide);
  heal->add_option("B", b, kSide);
  heal->callback([&] { status = steer(target, "DELETE", Json::object({{"a", a}, {"b", b}})); });
  with_port(app.add_subcommand("partitions", "List what is cut."))->callback([&] { status = steer(target, "GET", Json()); });
}

}  // namespace reef::cli
