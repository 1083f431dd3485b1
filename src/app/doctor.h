// What `atoll doctor` says of this machine.
#pragma once

namespace reef::app {
// Prints the sandbox tier, the interpreters found, and everything missing with its fix. 0 when all is well, 1 when
// something is missing.
int doctor();
}  // namespace reef::app
