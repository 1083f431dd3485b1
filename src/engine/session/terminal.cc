#include "engine/session/terminal.h"

namespace reef::session {

Result<Invitation, Failure> open_terminal(Sessions& sessions, task::Tasks& tasks, TerminalProgram what) {
  struct Live {
    TerminalProgram program;
    std::optional<std::uint32_t> number;
  };
  const auto live = std::make_shared<Live>(Live{std::move(what), {}});
  live->program.run.terminal = sandbox::TerminalSize{};
  ChannelEvents events;
  events.on_start = [&sessions, &tasks, live] {
    const TerminalProgram& program = live->program;
    live->number = tasks.exec(program.task, program.container, program.run, {
        .on_output = [&sessions, live](sandbox::Stream, std::string_view bytes) { sessions.print(live->program.session, bytes); },
        .on_exit = [&sessions, live](const sandbox::Exit& exit) {
          const int code = exit.start_failure.empty() ? exit.signal ? 128 + exit.signal : exit.code : 126;
          sessions.end(live->program.session, exit.start_failure, live->program.tells_code ? std::optional(code) : std::nullopt);
        }});
    if (!live->number) sessions.end(program.session, "The container does not run.", live->program.tells_code ? std::optional(126) : std::nullopt);
  };
  events.on_typed = [&tasks, live](std::string_view bytes) {
    if (live->number) tasks.type(live->program.task, live->program.container, *live->number, bytes);
  };
  events.on_resized = [&tasks, live](std::uint16_t rows, std::uint16_t columns) {
    live->program.run.terminal = sandbox::TerminalSize{rows, columns};
    if (live->number) tasks.resize(live->program.task, live->program.container, *live->number, *live->program.run.terminal);
  };
  events.on_terminate = [&tasks, live] {
    if (live->number) tasks.stop_run(live->program.task, live->program.container, *live->number);
  };
  return sessions.invite(live->program.session, std::move(events));
}

}  // namespace reef::session
