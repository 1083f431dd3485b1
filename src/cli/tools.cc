#include "cli/tools.h"

#include <CLI/CLI.hpp>
#include <cstdio>

#include "base/embedded.h"
#include "base/text.h"
#include "cli/client.h"
#include "cli/durations.h"

namespace reef::cli {
namespace {

using wire::Json;

int steer_clock(const Target& target, Json order) {
  const auto reply = send(target, order.is_null() ? "GET" : "POST", "/_atoll/clock", order.is_null() ? "" : order.dump());
  if (!reply) return complain({"", "nothing answers at port " + std::to_string(target.port) + ": start it with `atoll start`"});
  const auto json = Json::parse(reply->body);
  if (!json || reply->status >= 300) return complain({"", json ? json->text("message") : reply->body});
  std::printf("%s%s\n", json->text("now").c_str(), (*json)["frozen"].as_bool() ? " (frozen)" : "");
  return 0;
}

int show_coverage(const Daemon& daemon, bool as_json, bool as_markdown) {
  const auto json = Json::parse(daemon.coverage());
  if (!json) return 1;
  if (as_json) {
    std::printf("%s\n", json->pretty().c_str());
    return 0;
  }
  if (as_markdown) std::printf("| Service | Operations | CloudFormation types |\n|---|---|---|\n");
  for (const auto& [name, service] : json->as_object()) {
    const std::size_t served = service["served"].size(), all = served + service["missing"].size();
    std::string types;
    for (const Json& type : service["resources"].as_array()) types += (types.empty() ? "" : ", ") + type.as_string().substr(5);
    if (as_markdown) std::printf("| %s | %zu of %zu | %s |\n", name.c_str(), served, all, types.c_str());
    else std::printf("%-16s %3zu of %3zu operations   %s\n", name.c_str(), served, all, types.c_str());
  }
  return 0;
}

int print_embedded(const std::string& name) {
  const std::string_view text = embedded_file(name);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return text.empty() ? 1 : 0;
}

}  // namespace

void add_tool_commands(CLI::App& app, const Daemon& daemon, int& status) {
  CLI::App* doctor = app.add_subcommand("doctor", "Say what this machine offers, what is missing and how to get it.");
  doctor->callback([&] { status = daemon.doctor(); });

  static bool as_json = false, as_markdown = false;
  CLI::App* coverage = app.add_subcommand("coverage", "List what is served, from the code itself.");
  coverage->add_flag("--json", as_json, "every operation, served and missing");
  coverage->add_flag("--markdown", as_markdown, "as a table");
  coverage->callback([&] { status = show_coverage(daemon, as_json, as_markdown); });

  static Target target;
  static std::string by;
  CLI::App* clock = app.add_subcommand("clock", "Show the system's time, or freeze, advance and resume it.");
  clock->add_option("--port", target.port, "where atoll listens")->capture_default_str()->envname("ATOLL_PORT");
  clock->require_subcommand(0, 1);
  clock->add_subcommand("freeze", "Stop time, over restarts too: timeouts, schedules and expiries wait.")->fallthrough()->callback([&] { status = steer_clock(target, Json::object({{"action", "freeze"}})); });
  clock->add_subcommand("resume", "Let time go on from where it stands.")->fallthrough()->callback([&] { status = steer_clock(target, Json::object({{"action", "resume"}})); });
  CLI::App* advance = clock->add_subcommand("advance", "Move time forward; what is due happens at once. It stays so until a reset (POST /_atoll/reset).");
  advance->fallthrough();
  advance->add_option("by", by, "90, 90s, 15m, 2h or 1d")->required();
  advance->callback([&] {
    const double seconds = parse_duration(by);
    status = seconds < 0 ? complain({"", "'" + by + "' is no duration: try 90s, 15m, 2h or 1d"}) : steer_clock(target, Json::object({{"action", "advance"}, {"seconds", seconds}}));
  });
  clock->callback([&, clock] {
    if (clock->get_subcommands().empty()) status = steer_clock(target, Json());
  });

  static std::string shell = "bash";
  CLI::App* completion = app.add_subcommand("completion", "Print a completion script:  source <(atoll completion bash)");
  completion->add_option("shell", shell, "bash, zsh or fish")->check(CLI::IsMember({"bash", "zsh", "fish"}))->capture_default_str();
  completion->callback([&] { status = print_embedded("cli/completion." + shell); });
  app.add_subcommand("man", "Print the manual page:  atoll man | man -l -")->callback([&] { status = print_embedded("cli/atoll.1"); });
}

}  // namespace reef::cli
