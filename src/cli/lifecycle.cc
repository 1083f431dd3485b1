#include "cli/lifecycle.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "cli/client.h"
#include "cli/resolver_setup.h"
#include "cli/watch.h"
#include "wire/json.h"

namespace reef::cli {
namespace {

std::string pid_path(const std::string& data) { return data + "/atoll.pid"; }

void write_pid(const StartOptions& options, int port) {
  const std::string path = pid_path(options.data);
  std::ofstream(path + ".new") << wire::Json::object({{"pid", ::getpid()}, {"port", port}}).dump() << "\n";
  std::rename((path + ".new").c_str(), path.c_str());
}

int start_foreground(const Daemon& daemon, const StartOptions& options) {
  const int status = daemon.run(options, [&](int port) { write_pid(options, port); });
  if (status == 0) std::remove(pid_path(options.data).c_str());
  return status;
}

// Starts the daemon in a session of its own and waits until it serves; its log goes to <data>/atoll.log.
int start_background(const Daemon& daemon, const StartOptions& options) {
  if (const Running running = find_running(options.data); running.pid) {
    std::printf("atoll is already running: http://localhost:%d (pid %d)\n", running.port, running.pid);
    return 0;
  }
  std::error_code error;
  std::filesystem::create_directories(options.data, error);
  const std::string log = options.data + "/atoll.log";
  // Who cannot write the log can tell nobody why it did not start.
  if (const int probe = error ? -1 : ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600); probe >= 0) {
    ::close(probe);
  } else {
    std::fprintf(stderr, "atoll: the data folder %s cannot be written: %s; choose another with --data\n", options.data.c_str(),
                 error ? error.message().c_str() : std::strerror(errno));
    return 1;
  }
  int ready[2];
  if (::pipe2(ready, O_CLOEXEC) != 0) return std::perror("atoll: pipe"), 1;
  const pid_t child = ::fork();
  if (child < 0) return std::perror("atoll: fork"), 1;
  if (child == 0) {
    ::setsid();
    ::close(ready[0]);
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const int in = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (out < 0 || in < 0) ::_exit(1);
    ::dup2(in, 0);
    ::dup2(out, 1);
    ::dup2(out, 2);
    const int status = daemon.run(options, [&](int port) {
      write_pid(options, port);
      [[maybe_unused]] const auto n = ::write(ready[1], "r", 1);
      ::close(ready[1]);
    });
    if (status == 0) std::remove(pid_path(options.data).c_str());
    ::_exit(status);
  }
  ::close(ready[1]);
  char byte = 0;
  const bool good = ::read(ready[0], &byte, 1) == 1;
  ::close(ready[0]);
  if (!good) {
    ::waitpid(child, nullptr, 0);
    std::fprintf(stderr, "atoll: could not start; the last lines of %s say why:\n", log.c_str());
    std::ifstream in(log);
    std::string line;
    std::vector<std::string> last;
    while (std::getline(in, line)) {
      last.push_back(line);
      if (last.size() > 3) last.erase(last.begin());
    }
    for (const std::string& one : last) std::fprintf(stderr, "  %s\n", one.c_str());
    return 1;
  }
  std::printf("atoll is running: http://localhost:%d (pid %d, data in %s)\n", find_running(options.data).port, child, options.data.c_str());
  if (const std::string hint = resume_resolver(); !hint.empty()) std::printf("%s\n", hint.c_str());
  return 0;
}

int stop(const std::string& data) {
  const Running running = find_running(data);
  if (!running.pid) {
    std::printf("atoll is not running (data in %s)\n", data.c_str());
    return 0;
  }
  ::kill(running.pid, SIGTERM);
  for (int i = 0; i < 1500; ++i) {
    if (::kill(running.pid, 0) != 0) {
      std::printf("stopped\n");
      return 0;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  std::fprintf(stderr, "atoll: pid %d did not stop within 15 s; `kill -9 %d` is safe: nothing acknowledged is lost\n", running.pid, running.pid);
  return 1;
}

// "orders.Url": the value of one output of a stack, for scripts.
int show_output(const std::string& wanted, int port) {
  const auto dot = wanted.find('.');
  if (dot == std::string::npos) return complain({"", "--output takes <stack>.<output>"});
  const auto reply = call({.port = port}, "cloudformation", "DescribeStacks", wire::Json::object({{"StackName", wanted.substr(0, dot)}}));
  if (!reply) return complain(reply.error());
  for (const wire::Json& output : (*reply)["Stacks"].at(0)["Outputs"].as_array())
    if (output.text("OutputKey") == wanted.substr(dot + 1)) {
      std::printf("%s\n", output.text("OutputValue").c_str());
      return 0;
    }
  return complain({"", "the stack has no output " + wanted.substr(dot + 1)});
}

// The stacks that are there, as part of the status.
void show_stacks(int port) {
  const auto reply = call({.port = port}, "cloudformation", "DescribeStacks", wire::Json::object());
  if (!reply) return;
  for (const wire::Json& stack : (*reply)["Stacks"].as_array()) {
    std::printf("\n%s  %s\n", stack.text("StackName").c_str(), stack.text("StackStatus").c_str());
    for (const wire::Json& output : stack["Outputs"].as_array())
      std::printf("  %-20s %s\n", output.text("OutputKey").c_str(), output.text("OutputValue").c_str());
  }
}

int show_status(const std::string& data) {
  const Running running = find_running(data);
  if (!running.pid) {
    std::printf("not running (data in %s)\n", data.c_str());
    return 3;
  }
  std::printf("running: http://localhost:%d (pid %d, data in %s)\n", running.port, running.pid, data.c_str());
  if (const auto reply = send({.port = running.port}, "GET", "/_atoll/dns"); reply && reply->status == 200)
    if (const auto dns = wire::Json::parse(reply->body); dns && (*dns)["port"].as_int().value_or(0) > 0)
      std::printf("names:   dns at %s:%lld\n", dns->text("address").c_str(), static_cast<long long>((*dns)["port"].as_int().value_or(0)));
  show_stacks(running.port);
  return 0;
}

}  // namespace

Running find_running(const std::string& data) {
  std::ifstream in(pid_path(data));
  const auto json = wire::Json::parse(std::string(std::istreambuf_iterator<char>(in), {}));
  if (!json) return {};
  Running out{.pid = static_cast<int>((*json)["pid"].as_int().value_or(0)), .port = static_cast<int>((*json)["port"].as_int().value_or(0))};
  if (out.pid <= 0 || ::kill(out.pid, 0) != 0) return {};
  // A zombie, or another program that got the number.
  std::ifstream name("/proc/" + std::to_string(out.pid) + "/comm");
  std::string comm;
  std::getline(name, comm);
  return comm.starts_with("atoll") ? out : Running{};
}

void add_lifecycle_commands(CLI::App& app, const Daemon& daemon, int& status) {
  static StartOptions options;
  CLI::App* start = app.add_subcommand("start", "Start the daemon (in the background unless --foreground).");
  start->add_flag("--foreground", options.foreground, "stay attached and log to the terminal");
  start->add_option("--address", options.address, "numeric address to listen on")->capture_default_str();
  start->add_option("--port", options.port, "port of the AWS APIs; 0: any that is free")->check(CLI::Range(0, 65535))->capture_default_str()->envname("ATOLL_PORT");
  start->add_option("--data", options.data, "data folder")->capture_default_str()->envname("ATOLL_DATA");
  start->add_option("--durability", options.durability, "process: survives kill -9; power: survives power loss")
      ->check(CLI::IsMember({"process", "power"}))->capture_default_str();
  start->add_option("--auth", options.auth, "trust: unknown access keys are let in; strict: refused")
      ->check(CLI::IsMember({"trust", "strict"}))->capture_default_str();
  start->add_option("--account", options.account, "default account (12 digits)")
      ->check([](const std::string& text) { return text.size() == 12 && text.find_first_not_of("0123456789") == std::string::npos ? std::string() : "an account has 12 digits: " + text; })
      ->capture_default_str();
  start->add_option("--region", options.region, "region of unsigned requests")
      ->check([](const std::string& text) { return text.empty() || text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") != std::string::npos ? "no region: '" + text + "'" : std::string(); })
      ->capture_default_str();
  start->add_option("--tier", options.tier, "sandbox tier: auto, t0 (root), t1 (user namespaces), t2 (plain processes)")
      ->check(CLI::IsMember({"auto", "t0", "t1", "t2"}))->capture_default_str();
  start->add_option("--dns-port", options.dns_port, "port of the DNS server; -1: 4553 or the next that is free; -2: none")->check(CLI::Range(-2, 65535))->capture_default_str();
  start->add_option("--resolv-conf", options.resolv_conf, "names the resolvers that are asked for everything else")->capture_default_str();
  start->add_option("--shards", options.shards, "threads, fixed when the data folder is made; 0: one per core")->check(CLI::Range(0, 256))->capture_default_str();
  start->add_option("--log-level", options.log_level, "debug, info, warn or error")
      ->check(CLI::IsMember({"debug", "info", "warn", "error"}))->capture_default_str();
  start->callback([&daemon, &status] { status = options.foreground ? start_foreground(daemon, options) : start_background(daemon, options); });

  static std::string data = ".atoll";
  CLI::App* stop_command = app.add_subcommand("stop", "Stop the daemon; running requests are answered first.");
  stop_command->add_option("--data", data, "data folder")->capture_default_str()->envname("ATOLL_DATA");
  stop_command->callback([&status] { status = stop(data); });
  CLI::App* status_command = app.add_subcommand("status", "Show whether the daemon runs, and where.");
  status_command->add_option("--data", data, "data folder")->capture_default_str()->envname("ATOLL_DATA");
  static std::string output;
  static int port = 4566;
  status_command->add_option("--output", output, "print one output of a stack: <stack>.<output>");
  status_command->add_option("--port", port, "where atoll listens, for --output and --watch")->capture_default_str()->envname("ATOLL_PORT");
  static bool watch = false;
  static int frames = 0;
  status_command->add_flag("--watch", watch, "services, targets, health and rates, refreshed every second");
  status_command->add_option("--frames", frames, "end --watch after so many (0: never)")->capture_default_str();
  status_command->callback([&status] { status = watch ? watch_status({.port = port}, frames) : output.empty() ? show_status(data) : show_output(output, port); });
}

}  // namespace reef::cli
