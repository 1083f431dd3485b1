// The atoll command.
#pragma once

#include <functional>
#include <string>

namespace reef::cli {

struct StartOptions {
  std::string address = "127.0.0.1";
  int port = 4566;
  std::string data = ".atoll";
  std::string durability = "process";
  std::string auth = "trust";
  std::string account = "000000000000";
  std::string region = "us-east-1";
  std::string tier = "auto";
  int dns_port = -1;
  std::string resolv_conf = "/etc/resolv.conf";
  int shards = 0;
  std::string log_level = "info";
  bool foreground = false;
};

// What the command needs from the daemon it is linked with.
struct Daemon {
  // Runs the daemon in this process until it is stopped; `ready` once it serves, with the port. The exit status.
  std::function<int(const StartOptions&, const std::function<void(int port)>& ready)> run;
  // What this machine lacks, with the fix; the exit status.
  std::function<int()> doctor;
  // JSON of what is served.
  std::function<std::string()> coverage;
  const char* version;
};

int run(int argc, char** argv, const Daemon& daemon);

}  // namespace reef::cli
