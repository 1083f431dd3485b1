#include "engine/function/interpreters.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "base/text.h"

namespace reef::function {
namespace {
namespace fs = std::filesystem;

std::vector<std::string> folders() {
  std::vector<std::string> all;
  if (const char* path = std::getenv("PATH"))
    for (const std::string_view entry : split(path, ':')) all.emplace_back(entry);
  for (const char* usual : {"/usr/local/bin", "/usr/bin", "/opt/node/bin", "/opt/nodejs/bin", "/opt/homebrew/bin"}) all.emplace_back(usual);
  const char* home = std::getenv("HOME");
  if (!home) return all;
  const auto add_below = [&](const std::string& parent, const std::string& rest) {
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(parent, error)) all.push_back(entry.path().string() + rest);
  };
  add_below(std::string(home) + "/.pyenv/versions", "/bin");
  add_below(std::string(home) + "/.nvm/versions/node", "/bin");
  add_below(std::string(home) + "/.volta/tools/image/node", "/bin");
  add_below(std::string(home) + "/.asdf/installs/nodejs", "/bin");
  add_below(std::string(home) + "/.asdf/installs/python", "/bin");
  add_below(std::string(home) + "/.local/share/fnm/node-versions", "/installation/bin");
  add_below(std::string(home) + "/.local/share/uv/python", "/bin");
  return all;
}

bool is_candidate(Language language, const std::string& name) {
  if (language == Language::kNode) return name == "node" || name == "nodejs";
  if (!name.starts_with("python3")) return false;
  const std::string rest = name.substr(7);
  return rest.empty() || (rest[0] == '.' && rest.size() > 1 && std::all_of(rest.begin() + 1, rest.end(), ::isdigit));
}

// "python3.11" says it all; running each of a dozen installations would take a second.
bool name_tells_version(Interpreter& found) {
  const std::string name = std::filesystem::path(found.program).filename().string();
  int used = 0;
  return found.language == Language::kPython && std::sscanf(name.c_str(), "python%d.%d%n", &found.major, &found.minor, &used) == 2 &&
         used == static_cast<int>(name.size());
}

// What the program says of itself; false for shims and everything else that is no interpreter.
bool ask_version(Interpreter& found) {
  const char* question = found.language == Language::kNode
      ? "-p \"process.versions.node\""
      : "-I -c \"import sys; print('%d.%d' % sys.version_info[:2])\"";
  const std::string command = fmt::format("'{}' {} 2>/dev/null", replace_all(found.program, "'", "'\\''"), question);
  FILE* pipe = ::popen(command.c_str(), "r");
  if (!pipe) return false;
  char text[64] = {};
  const bool read = std::fgets(text, sizeof(text), pipe) != nullptr;
  return ::pclose(pipe) == 0 && read && std::sscanf(text, "%d.%d", &found.major, &found.minor) == 2;
}

}  // namespace

std::vector<Interpreter> find_interpreters(Language wanted) {
  std::vector<Interpreter> all;
  std::set<std::string> seen;
  for (const std::string& folder : folders()) {
    if (folder.ends_with("/shims")) continue;
    std::error_code error;
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      const std::string name = entry.path().filename().string();
      if (!is_candidate(wanted, name) || ::access(entry.path().c_str(), X_OK) != 0) continue;
      const fs::path real = fs::canonical(entry.path(), error);
      if (error || !seen.insert(real.string()).second) continue;
      Interpreter found{.language = wanted, .program = real.string()};
      const std::string prefix = real.parent_path().parent_path().string();
      if (!found.program.starts_with("/usr/") && prefix.size() > 1) found.prefix = prefix;
      if (name_tells_version(found) || ask_version(found)) all.push_back(std::move(found));
    }
  }
  return all;
}

std::optional<RuntimeName> parse_runtime(const std::string& name) {
  int major = 0, minor = 0, used = 0;
  if (name == "provided.al2" || name == "provided.al2023") return RuntimeName{Language::kProvided};
  if (std::sscanf(name.c_str(), "nodejs%d.x%n", &major, &used) == 1 && used == static_cast<int>(name.size()))
    return RuntimeName{Language::kNode, major, 0};
  used = 0;
  if (std::sscanf(name.c_str(), "python%d.%d%n", &major, &minor, &used) == 2 && used == static_cast<int>(name.size()) && major == 3)
    return RuntimeName{Language::kPython, major, minor};
  return std::nullopt;
}

const Interpreter* closest(const std::vector<Interpreter>& installed, const RuntimeName& wanted) {
  // For Node only the major version is part of the name.
  const auto rank = [&](int major, int minor) { return wanted.language == Language::kNode ? major * 1000 : major * 1000 + minor; };
  const int aim = rank(wanted.major, wanted.minor);
  const Interpreter* newer = nullptr;
  const Interpreter* newest = nullptr;
  for (const Interpreter& one : installed) {
    if (one.language != wanted.language) continue;
    // Older than what the runtimes support: Node 18, Python 3.9.
    if (one.language == Language::kNode ? one.major < 18 : (one.major != 3 || one.minor < 9)) continue;
    const int has = rank(one.major, one.minor);
    if (has == aim) return &one;
    if (has > aim && (!newer || has < rank(newer->major, newer->minor))) newer = &one;
    if (!newest || has > rank(newest->major, newest->minor)) newest = &one;
  }
  return newer ? newer : newest;
}

}  // namespace reef::function
