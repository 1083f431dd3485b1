#include "cli/mesh.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <thread>

#include <fmt/format.h>

#include "base/time.h"
#include "cli/client.h"

namespace reef::cli {
namespace {

using wire::Json;
using Clock = std::chrono::steady_clock;

Result<Json, Failure> ask(const Target& target) {
  const auto reply = send(target, "GET", "/_atoll/mesh");
  if (!reply) return Err(Failure{"nothing answers at port " + std::to_string(target.port) + ": start it with `atoll start`"});
  auto json = Json::parse(reply->body);
  if (!json || reply->status != 200) return Err(Failure{"the daemon does not say what its mesh does"});
  return *std::move(json);
}

std::string show_micros(std::int64_t micros) {
  if (micros >= 10'000'000) return fmt::format("{} s", micros / 1'000'000);
  if (micros >= 10'000) return fmt::format("{} ms", micros / 1000);
  if (micros < 1000) return fmt::format("{} us", micros);   // most hops
  return fmt::format("{:.1f} ms", static_cast<double>(micros) / 1000);
}

struct Seen {
  std::int64_t requests = 0, errors = 0;
};

// Rates are the difference to the look before; a first look shows what there was since the start instead.
std::string table(const Json& mesh, std::map<std::string, Seen>& before, double seconds, bool colours) {
  const bool has_rates = seconds > 0;
  std::string out = fmt::format("{:<24} {:<28} {:<20} {:>10} {:>10} {:>9} {:>9}\n", "CALLER", "SERVICE", "TARGET", has_rates ? "REQ/S" : "REQUESTS", has_rates ? "ERR/S" : "ERRORS", "P50", "P99");
  for (const Json& hop : mesh["hops"].as_array()) {
    const Seen now{hop["requests"].as_int().value_or(0), hop["errors"].as_int().value_or(0)};
    Seen& last = before[hop.text("caller") + "\n" + hop.text("service") + "\n" + hop.text("target")];
    const auto rate = [&](std::int64_t value, std::int64_t was) { return has_rates ? fmt::format("{:.1f}", static_cast<double>(value - was) / seconds) : std::to_string(value); };
    std::string errors = fmt::format("{:>10}", rate(now.errors, last.errors));
    if (colours && now.errors > last.errors) errors = "\033[31m" + errors + "\033[0m";
    const std::int64_t denied = hop["denied"].as_int().value_or(0);
    out += fmt::format("{:<24} {:<28} {:<20} {:>10} {} {:>9} {:>9}{}\n", hop.text("caller"), hop.text("service"), hop.text("target").empty() ? "-" : hop.text("target"), rate(now.requests, last.requests), errors,
                       denied > 0 && denied == now.requests ? "-" : show_micros(hop["p50Micros"].as_int().value_or(0)),
                       denied > 0 && denied == now.requests ? "-" : show_micros(hop["p99Micros"].as_int().value_or(0)), denied > 0 ? fmt::format("  {} denied", denied) : "");
    last = now;
  }
  for (const Json& node : mesh["nodes"].as_array())
    for (const Json& endpoint : node["endpoints"].as_array())
      if (endpoint["ejected"].as_bool()) out += fmt::format("{} at {} is left out: it failed too often\n", node.text("name"), endpoint.text("address"));
  for (const Json& gateway : mesh["gateways"].as_array())
    for (const Json& port : gateway["ports"].as_array())
      out += fmt::format("gateway {}: {}://{}:{}\n", gateway.text("name"), port["tls"].as_bool() ? "https" : "http", gateway.text("address"), port["port"].as_int().value_or(0));
  return out;
}

int show(const Target& target, bool watches, int frames) {
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  std::map<std::string, Seen> before;
  Clock::time_point last{};
  for (int shown = 0; shown == 0 || (watches && (frames <= 0 || shown < frames)); ++shown) {
    if (shown > 0) std::this_thread::sleep_for(1s);
    const auto mesh = ask(target);
    if (!mesh) return complain({"", mesh.error().message});
    const auto now = Clock::now();
    const std::string text = table(*mesh, before, shown > 0 ? std::chrono::duration<double>(now - last).count() : 0, terminal);
    last = now;
    std::printf("%s%s%s", terminal && watches ? "\033[H\033[2J" : "", text.c_str(), terminal && watches ? "\n(ctrl-c ends)\n" : "");
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace

void add_mesh_command(CLI::App& app, int& status) {
  static Target target;
  static bool watches = false;
  static int frames = 0;
  CLI::App* mesh = app.add_subcommand("mesh", "Show who calls whom through the mesh: rates, errors, how long it takes.");
  mesh->add_option("--port", target.port, "where atoll listens")->capture_default_str()->envname("ATOLL_PORT");
  mesh->add_flag("--watch", watches, "again every second, with rates");
  mesh->add_option("--frames", frames, "with --watch: end after that many looks")->group("");
  mesh->callback([&] { status = show(target, watches, frames); });
}

}  // namespace reef::cli
