// A program beside a container's own, with a terminal that a session's client has.
#pragma once

#include <string>

#include "engine/session/sessions.h"
#include "engine/task/tasks.h"

namespace reef::session {

struct TerminalProgram {
  std::string session;         // its id
  std::string task;
  std::size_t container = 0;
  sandbox::Run run;            // without a terminal: it gets one
  bool tells_code = false;     // the client is told how the program ended
};

// The program starts when the client is there, and ends with it.
Result<Invitation, Failure> open_terminal(Sessions& sessions, task::Tasks& tasks, TerminalProgram program);

}  // namespace reef::session
