// https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ExecuteCommand.html
#include <fmt/format.h>

#include "base/random.h"
#include "engine/session/terminal.h"
#include "service/ecs/operations.h"
#include "service/ecs/words.h"

namespace reef::service::ecs::operations {
namespace {

constexpr const char* kNotEnabled =
    "The execute command failed because execute command was not enabled when the task was run or the execute command agent isn't running. Wait and try again or run a new task with execute command "
    "enabled and try again.";

Reply<std::size_t> find_container(const model::Task& task, const std::optional<std::string>& wanted) {
  const auto& all = *task.containers;
  if (!wanted || wanted->empty()) {
    if (all.size() > 1) return Err(invalid("Container name cannot be blank when the task has more than one container."));
    return std::size_t{0};
  }
  for (std::size_t i = 0; i < all.size(); ++i)
    if (all[i].name == *wanted) return i;
  return Err(invalid(fmt::format("The container {} does not exist in the task.", *wanted)));
}

}  // namespace

Task<Reply<model::ExecuteCommandOutput>> ExecuteCommand(Ecs& ecs, const model::ExecuteCommandInput& in, const Call& call) {
  const StoredCluster* cluster = CO_TRY(find_cluster(ecs, call, in.cluster));
  if (!in.interactive) co_return Err(invalid("Interactive is the only mode supported currently."));
  const TaskPtr task = find_task(ecs, call, *cluster, in.task);
  if (!task) co_return Err(invalid("The referenced task was not found."));
  const auto words = split_words(in.command);
  if (!words || words->empty()) co_return Err(invalid(words ? "Command cannot be blank." : "Command has a quotation that is not closed."));
  const std::size_t index = CO_TRY(find_container(task->task, in.container));
  if (!task->task.enable_execute_command.value_or(false) || task->task.last_status != "RUNNING") co_return Err(invalid(kNotEnabled));
  const model::Container& container = (*task->task.containers)[index];
  auto environment = ecs.tasks.environment_of(task->id, index);
  if (container.last_status != "RUNNING" || !environment)
    co_return Err(aws::Error(errors::kTargetNotConnectedException, "The execute command failed due to an internal error. Try again later."));
  session::TerminalProgram program{.session = "ecs-execute-command-" + make_token(thread_random(), 17), .task = task->id, .container = index, .run = *std::move(environment)};
  program.run.argv = *words;
  program.run.env.push_back("TERM=xterm-256color");
  const std::string id = program.session;
  const auto invitation = session::open_terminal(ecs.sessions, ecs.tasks, std::move(program));
  if (!invitation) co_return Err(aws::Error(errors::kServerException, invitation.error().message));
  co_return model::ExecuteCommandOutput{.cluster_arn = task->task.cluster_arn, .container_arn = container.container_arn, .container_name = container.name, .interactive = true,
                                        .session = model::Session{.session_id = id, .stream_url = invitation->url, .token_value = invitation->token}, .task_arn = task->task.task_arn};
}

}  // namespace reef::service::ecs::operations
