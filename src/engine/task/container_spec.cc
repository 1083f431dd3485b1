// How a container becomes a sandbox: the image's defaults under what the plan says.
#include <signal.h>
#include <unistd.h>

#include <map>

#include <fmt/format.h>

#include "base/random.h"
#include "base/text.h"
#include "engine/task/tasks.h"

namespace reef::task {
namespace {

constexpr const char* kDefaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

void set(std::vector<std::pair<std::string, std::string>>& env, std::string_view name, std::string value, bool over) {
  for (auto& [key, current] : env)
    if (key == name) {
      if (over) current = std::move(value);
      return;
    }
  env.emplace_back(name, std::move(value));
}

std::vector<std::string> make_env(const LiveTask& task, std::size_t index, const image::User& user, const std::string& hostname) {
  const ContainerPlan& plan = task.plan.containers[index];
  std::vector<std::pair<std::string, std::string>> env;
  set(env, "PATH", kDefaultPath, true);
  for (const std::string& variable : task.containers[index].image.config.env) {
    const auto equals = variable.find('=');
    if (equals != std::string::npos) set(env, variable.substr(0, equals), variable.substr(equals + 1), true);
  }
  for (const auto& [name, value] : plan.env) set(env, name, value, true);
  set(env, "HOSTNAME", hostname, true);
  set(env, "HOME", user.home.empty() ? "/" : user.home, false);
  std::vector<std::string> out;
  for (const auto& [name, value] : env) out.push_back(name + "=" + value);
  return out;
}

}  // namespace

int signal_number(std::string_view name) {
  static const std::map<std::string_view, int> kNames = {{"HUP", SIGHUP}, {"INT", SIGINT}, {"QUIT", SIGQUIT}, {"KILL", SIGKILL}, {"USR1", SIGUSR1},
                                                         {"USR2", SIGUSR2}, {"TERM", SIGTERM}, {"WINCH", SIGWINCH}, {"ABRT", SIGABRT}};
  if (const auto number = parse_int<int>(name)) return *number > 0 && *number < 65 ? *number : SIGTERM;
  if (name.starts_with("SIG")) name.remove_prefix(3);
  const auto found = kNames.find(name);
  return found == kNames.end() ? SIGTERM : found->second;
}

Result<sandbox::Spec, Failure> make_container_spec(const LiveTask& task, std::size_t index, bool isolated, const std::string& volumes_folder, int api_port,
                                                   std::string_view passwd, std::string_view group) {
  const ContainerPlan& plan = task.plan.containers[index];
  const LiveContainer& live = task.containers[index];
  const image::ImageConfig& config = live.image.config;
  const image::User user = TRY(image::find_user(plan.user.empty() ? config.user : plan.user, passwd, group));
  sandbox::Spec spec;
  spec.id = fmt::format("task-{}-{}", ::getpid(), make_token(thread_random(), 12));
  const auto entry_point = plan.entry_point.value_or(config.entrypoint);
  // As with Docker, a new entry point forgets the image's command.
  const auto command = plan.command ? *plan.command : plan.entry_point ? std::vector<std::string>() : config.command;
  spec.argv = entry_point;
  spec.argv.insert(spec.argv.end(), command.begin(), command.end());
  if (spec.argv.empty()) return Err(Failure{"no command specified: the image has neither Entrypoint nor Cmd", EINVAL});
  spec.search_path = true;
  spec.cwd = !plan.working_folder.empty() ? plan.working_folder : !config.working_folder.empty() ? config.working_folder : "/";
  if (!spec.cwd.starts_with('/')) return Err(Failure{fmt::format("the working directory '{}' is invalid, it needs to be an absolute path", spec.cwd), EINVAL});
  spec.uid = user.uid;
  spec.gid = user.gid;
  spec.user_name = user.name;
  const std::string& address = live.address.empty() ? task.address : live.address;
  spec.hostname = !plan.hostname.empty() ? plan.hostname : "ip-" + replace_all(address, ".", "-");
  spec.env = make_env(task, index, user, spec.hostname);
  spec.image = {.folder = *live.image.root, .written_bytes = task.plan.written_bytes, .read_only = plan.read_only, .hosts = plan.hosts};
  for (const Link& link : plan.links) {
    const std::string& other = task.containers[link.to].address;
    spec.image.hosts.push_back(fmt::format("{} {}", other.empty() ? task.address : other, link.names));
  }
  spec.scratches = plan.scratches;
  spec.address = address;
  spec.host_port = static_cast<std::uint16_t>(api_port);
  spec.limits = {.memory_bytes = plan.memory_bytes, .tmp_bytes = 0, .pids = plan.pids, .open_files = plan.open_files, .cpu_milli = plan.cpu_milli};
  const bool own_network = isolated && task.plan.network != Network::kHost;
  spec.network = own_network ? sandbox::Network::kIsolated : sandbox::Network::kHost;
  if (own_network && task.plan.network == Network::kOwn) spec.join = task.holder->id();
  for (const Mount& mount : plan.mounts) {
    const Volume* volume = nullptr;
    for (const Volume& one : task.plan.volumes)
      if (one.name == mount.volume) volume = &one;
    if (!volume) return Err(Failure{fmt::format("there is no volume {}", mount.volume), EINVAL});
    const std::string source = volume->folder.empty() ? fmt::format("{}/{}/{}", volumes_folder, task.plan.id, volume->name) : volume->folder;
    spec.binds.push_back({source, mount.target, mount.read_only});
  }
  return spec;
}

}  // namespace reef::task
