// doctor, coverage, clock, completion, man: about atoll itself.
#pragma once

#include "cli/command.h"

namespace CLI {
class App;
}

namespace reef::cli {
void add_tool_commands(CLI::App& app, const Daemon& daemon, int& status);
}
