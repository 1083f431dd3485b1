// Finds the Node.js and Python installations of this machine and picks the one closest to a runtime's name.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/function/function.h"

namespace reef::function {

struct Interpreter {
  Language language = Language::kNode;
  int major = 0, minor = 0;
  std::string program;  // resolved: no symbolic link, no shim
  std::string prefix;   // folder that must be visible for it to run; empty when below /usr
};

// Looks in PATH and the usual places of version managers. Runs programs to ask for their version: blocks for some
// ten milliseconds per installation.
std::vector<Interpreter> find_interpreters(Language wanted);

// "nodejs20.x" -> kNode, 20; "python3.12" -> kPython, 3.12. Nothing for a name that is none of ours.
struct RuntimeName {
  Language language;
  int major = 0, minor = 0;
};
std::optional<RuntimeName> parse_runtime(const std::string& name);

// The same version, else the next newer one, else the newest; nullptr when none of that language is installed.
const Interpreter* closest(const std::vector<Interpreter>& installed, const RuntimeName& wanted);

}  // namespace reef::function
