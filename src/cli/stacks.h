// deploy, destroy, logs: stacks and what runs in them, from the command line.
#pragma once

#include "cli/command.h"

namespace CLI {
class App;
}

namespace reef::cli {
void add_stack_commands(CLI::App& app, int& status);
}
