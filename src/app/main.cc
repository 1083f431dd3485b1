// The atoll binary: daemon and command in one file.
#include <cstdio>

#include "app/doctor.h"
#include "app/system.h"
#include "app/version.h"
#include "base/log.h"
#include "cli/command.h"

namespace {

int run_daemon(const reef::cli::StartOptions& options, const std::function<void(int)>& ready) {
  using namespace reef;
  app::Config config;
  config.address = options.address;
  config.port = options.port;
  config.data = options.data;
  config.durability = options.durability == "power" ? store::Durability::kPower : store::Durability::kProcess;
  config.auth.mode = options.auth == "strict" ? gateway::AuthMode::kStrict : gateway::AuthMode::kTrust;
  config.auth.default_account = options.account;
  config.auth.default_region = options.region;
  config.resolv_conf = options.resolv_conf;
  config.dns_port = options.dns_port;
  config.shards = static_cast<std::size_t>(options.shards);
  config.tier = options.tier;
  const auto level = options.log_level;
  log::set_level(level == "debug" ? log::Level::kDebug : level == "warn" ? log::Level::kWarn : level == "error" ? log::Level::kError : log::Level::kInfo);
  app::System system(std::move(config));
  if (const auto started = system.start(); !started) {
    std::fprintf(stderr, "atoll: %s\n", started.error().message.c_str());
    return 1;
  }
  system.run([&] { ready(system.port()); });
  return 0;
}

// What this build serves, without a daemon: the services are made over an empty data folder that goes away again.
std::string coverage() { return reef::app::System::describe_coverage(); }

}  // namespace

int main(int argc, char** argv) {
  return reef::cli::run(argc, argv, {.run = run_daemon, .doctor = reef::app::doctor, .coverage = coverage, .version = reef::app::kVersion});
}
