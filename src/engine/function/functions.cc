#include "engine/function/functions.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/embedded.h"
#include "base/log.h"
#include "engine/store/shard.h"

namespace reef::function {

SchedulerLimits limits_of_this_machine() {
  SchedulerLimits limits;
  // While one waits for a call of its own another has work for the processor.
  const std::uint32_t processors = std::max(1u, std::thread::hardware_concurrency());
  limits.hot_environments = processors + (processors + 1) / 2;
  return limits;
}

Functions::Functions(Options options, sandbox::Sandboxes& sandboxes, LogSink& logs, SchedulerLimits limits)
    : options_(std::move(options)), sandboxes_(sandboxes), logs_(logs), scheduler_(limits) {
  std::error_code error;
  options_.folder = std::filesystem::absolute(options_.folder, error).lexically_normal().string();
}

Functions::~Functions() = default;

EnvironmentHost Functions::host() { return {store::Shard::control().reactor(), sandboxes_, options_, logs_}; }

Result<void, Failure> Functions::start() {
  namespace fs = std::filesystem;
  for (const char* name : {"runtimes/node/bootstrap.cjs", "runtimes/python/bootstrap.py"}) {
    const std::string path = options_.folder + "/" + name;
    std::error_code error;
    fs::create_directories(fs::path(path).parent_path(), error);
    const std::string_view bytes = embedded_file(name);
    std::ifstream old(path, std::ios::binary);
    const std::string current((std::istreambuf_iterator<char>(old)), {});
    if (current == bytes) continue;
    std::ofstream out(path + ".new", std::ios::binary | std::ios::trunc);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    out.close();
    if (!out) return Err(Failure{"write " + path + ": " + std::strerror(errno), errno});
    fs::rename(path + ".new", path, error);
    if (error) return Err(Failure{"write " + path + ": " + error.message()});
  }
  std::error_code error;
  fs::create_directories(options_.folder + "/packages", error);
  fs::create_directories(options_.folder + "/empty", error);
  // Sandboxed users read these; the folders above may stay private, as they are bound and not walked.
  for (const char* name : {"/runtimes", "/runtimes/node", "/runtimes/python", "/packages"})
    ::chmod((options_.folder + name).c_str(), 0755);
  return {};
}

void Functions::stop() {
  stopping_ = true;
  store::Shard::control().reactor().cancel(tick_timer_);
  for (const auto& [id, environment] : environments_) environment->stop("spindown");
  for (auto& [key, all] : booted_)
    for (const auto& environment : all) environment->stop("spindown");
  booted_.clear();
  // Those that wait for an environment would wait for ever.
  for (auto& [id, pending] : std::exchange(pending_, {})) pending.done(std::nullopt);
}

Task<Result<Outcome, Refusal>> Functions::invoke(VersionPtr version, Invocation invocation, std::optional<std::uint32_t> reserved,
                                                 std::uint32_t reserved_by_all) {
  store::Shard& control = store::Shard::control();
  store::Shard* home = store::Shard::current_or_null();
  if (home == &control || !home) co_return co_await invoke_here(std::move(version), std::move(invocation), reserved, reserved_by_all);
  co_await control.enter();
  Result<Outcome, Refusal> result = co_await invoke_here(std::move(version), std::move(invocation), reserved, reserved_by_all);
  co_await home->enter();
  co_return result;
}

Task<Result<Outcome, Refusal>> Functions::invoke_here(VersionPtr version, Invocation invocation, std::optional<std::uint32_t> reserved,
                                                      std::uint32_t reserved_by_all) {
  if (stopping_) co_return Err(Refusal::kStopping);
  const InvocationId id = ++last_invocation_;
  Later<std::optional<Outcome>> answer;
  pending_[id] = {version, std::move(invocation), [&answer](std::optional<Outcome> outcome) { answer.set(std::move(outcome)); }};
  versions_[version->id] = version;
  Scheduler::Effects effects;
  const Duration steady(io::monotonic_micros());
  scheduler_.set_machine_busy(machine_load_.is_busy(steady));
  const auto admitted = scheduler_.invoke(id, version->id, version->function, reserved, reserved_by_all, steady, effects);
  if (!admitted) {
    pending_.erase(id);
    co_return Err(admitted.error());
  }
  carry_out(std::move(effects));
  std::optional<Outcome> outcome = co_await answer;
  if (!outcome) co_return Err(Refusal::kStopping);
  co_return *std::move(outcome);
}

void Functions::carry_out(Scheduler::Effects effects) {
  for (const EnvironmentId id : effects.stop)
    if (const auto found = environments_.find(id); found != environments_.end()) found->second->stop("spindown");
  for (auto& [id, version] : effects.start) start_environment(id, versions_.at(version));
  for (const auto& [id, invocation] : effects.fail) {
    const auto failed = failed_.find(id);
    auto pending = pending_.extract(invocation);
    if (failed == failed_.end() || pending.empty()) continue;
    scheduler_.finished(invocation);
    pending.mapped().done(failed->second->init_failure(pending.mapped().invocation));
  }
  for (const auto& [id, invocation] : effects.run) {
    auto pending = pending_.extract(invocation);
    const auto found = environments_.find(id);
    if (pending.empty() || found == environments_.end()) continue;
    found->second->run(std::move(pending.mapped().invocation), [this, number = invocation, done = std::move(pending.mapped().done)](Outcome outcome) {
      scheduler_.finished(number);
      done(std::move(outcome));
    });
  }
  arm_tick();
}

void Functions::start_environment(EnvironmentId id, VersionPtr version) {
  // Finding the interpreter may take a while the first time.
  [](Functions& self, EnvironmentId id, VersionPtr version) -> Task<void> {
    const Interpreter* interpreter = nullptr;
    if (version->language != Language::kProvided) interpreter = co_await self.interpreter_for(version->runtime);
    if (self.stopping_) co_return;
    std::shared_ptr<Environment> environment;
    if (version->language != Language::kProvided && !interpreter) {
      environment = std::make_shared<Environment>(self.host(), version->language, nullptr);
      environment->refuse(version, "Runtime.NotInstalled", "No interpreter for " + version->runtime + " is installed on this machine.");
      self.environments_[id] = environment;
      // Not from inside the call that waits for it.
      store::Shard::control().reactor().post([&self, id] { self.environment_ended(id); });
      co_return;
    }
    if (interpreter && Environment::can_be_booted_ahead(*version, self.options_)) {
      auto& ready = self.booted_[interpreter->program];
      while (!ready.empty() && !environment) {
        if (!ready.front()->ended()) environment = ready.front();
        ready.pop_front();
      }
    }
    if (!environment) environment = std::make_shared<Environment>(self.host(), version->language, interpreter);
    self.environments_[id] = environment;
    environment->assign(version, {
        .on_ready = [&self, id] {
          Scheduler::Effects effects;
          self.scheduler_.ready(id, store::Shard::control().now(), Duration(io::monotonic_micros()), effects);
          self.carry_out(std::move(effects));
        },
        .on_ended = [&self, id] { self.environment_ended(id); }});
    if (interpreter) self.boot_ahead(version->language, *interpreter);
  }(*this, id, std::move(version)).detach();
}

void Functions::environment_ended(EnvironmentId id) {
  const auto found = environments_.find(id);
  if (found == environments_.end()) return;
  failed_[id] = found->second;
  environments_.erase(found);
  Scheduler::Effects effects;
  scheduler_.gone(id, Duration(io::monotonic_micros()), effects);
  if (!stopping_) carry_out(std::move(effects));
  failed_.erase(id);
}

void Functions::boot_ahead(Language language, const Interpreter& interpreter) {
  if (booted_[interpreter.program].size() >= options_.booted_ahead || stopping_) return;
  // A little later: the start that is going on comes first.
  constexpr Duration kLater = 150ms;
  store::Shard::control().reactor().after(kLater, [this, language, interpreter] {
    auto& ready = booted_[interpreter.program];
    std::erase_if(ready, [](const auto& environment) { return environment->ended(); });
    if (ready.size() >= options_.booted_ahead || stopping_) return;
    const auto environment = std::make_shared<Environment>(host(), language, &interpreter);
    ready.push_back(environment);
    environment->boot();
  });
}

void Functions::prepare(const VersionPtr& version) {
  if (version->language == Language::kProvided || !Environment::can_be_booted_ahead(*version, options_)) return;
  [](Functions& self, VersionPtr version) -> Task<void> {
    const Interpreter* interpreter = co_await self.interpreter_for(version->runtime);
    if (interpreter) self.boot_ahead(version->language, *interpreter);
  }(*this, version).detach();
}

void Functions::retire(const std::string& version_id) {
  const bool is_waited_for = std::any_of(pending_.begin(), pending_.end(), [&](const auto& entry) { return entry.second.version->id == version_id; });
  if (!is_waited_for) versions_.erase(version_id);
  Scheduler::Effects effects;
  scheduler_.retire(version_id, effects);
  carry_out(std::move(effects));
}

VersionPtr Functions::version_in(std::string_view sandbox) const {
  for (const auto* all : {&environments_, &failed_})
    for (const auto& [id, environment] : *all)
      if (environment->sandbox_id() == sandbox) return environment->version();
  return nullptr;
}

void Functions::retire_all() {
  std::vector<std::string> ids;
  for (const auto& [id, version] : versions_) ids.push_back(id);
  for (const std::string& id : ids) retire(id);
}

Task<const Interpreter*> Functions::interpreter_for(std::string runtime) {
  const auto wanted = parse_runtime(runtime);
  if (!wanted) co_return nullptr;
  Found& found = found_[wanted->language];
  if (!found.looked && !found.looking) {
    found.looking = true;
    auto interpreters = co_await pool_.run([language = wanted->language] { return find_interpreters(language); });
    if (interpreters) found.interpreters = *std::move(interpreters);
    found.looked = interpreters.has_value();
    found.looking = false;
    for (Later<bool>* waiter : std::exchange(found.waiting, {})) waiter->set(true);
  } else if (found.looking) {
    Later<bool> done;
    found.waiting.push_back(&done);
    co_await done;
  }
  co_return closest(found.interpreters, *wanted);
}

void Functions::arm_tick() {
  constexpr Duration kLook = 10ms;
  if (patience_timer_ == 0 && scheduler_.waiting() > 0 && !stopping_)
    patience_timer_ = store::Shard::control().reactor().after(kLook, [this] {
      patience_timer_ = 0;
      Scheduler::Effects effects;
      scheduler_.lose_patience(Duration(io::monotonic_micros()), effects);
      carry_out(std::move(effects));
    });
  if (tick_timer_ != 0 || stopping_) return;
  const auto next = scheduler_.next_tick();
  if (!next) return;
  tick_timer_ = store::Shard::control().reactor().at(*next, [this] {
    tick_timer_ = 0;
    Scheduler::Effects effects;
    scheduler_.tick(store::Shard::control().now(), effects);
    carry_out(std::move(effects));
  });
}

}  // namespace reef::function
