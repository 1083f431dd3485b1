// The user's terminal at one end of an interactive session: raw while it lasts, with its size told as it changes.
#pragma once

#include <string>

#include "base/result.h"

namespace reef::cli {

// `url`: "ws://127.0.0.1:port/path". Gives the exit code of the program at the other end.
Result<int, Failure> run_terminal(const std::string& url, const std::string& token);

}  // namespace reef::cli
