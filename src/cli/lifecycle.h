// start, stop, status: the daemon's life, seen from the command line.
#pragma once

#include <string>

#include "cli/command.h"

namespace CLI {
class App;
}

namespace reef::cli {

void add_lifecycle_commands(CLI::App& app, const Daemon& daemon, int& status);

// Where the daemon of that data folder listens, from its pid file; port 0 when none runs.
struct Running {
  int pid = 0;
  int port = 0;
};
Running find_running(const std::string& data);

}  // namespace reef::cli
