// Runs another program to its end.
#pragma once

#include <string>
#include <vector>

namespace reef::cli {
// Its exit status, 127 when it is not there; its output goes to ours unless `quiet`. `input` is its standard input.
int run_program(const std::vector<std::string>& argv, const std::string& input = {}, bool quiet = false);
}  // namespace reef::cli
