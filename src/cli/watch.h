// `atoll status --watch`: services, targets, health and rates, live in the terminal.
#pragma once

#include "cli/client.h"

namespace reef::cli {

// Refreshes once a second until interrupted; `frames` above 0 ends it after that many.
int watch_status(const Target& target, int frames);

}  // namespace reef::cli
