#include "engine/function/environment.h"

#include <fmt/format.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "base/random.h"
#include "engine/function/runtime_api.h"
#include "engine/sandbox/trust.h"
#include "wire/json.h"

namespace reef::function {
namespace {

constexpr Duration kInitTimeout = 10s;
constexpr Duration kExtensionShutdown = 2s;
constexpr std::uint16_t kApiPort = 9001;
constexpr const char* kNodeAuthorities = "NODE_EXTRA_CA_CERTS";

// What must be in place before an interpreter starts and so rules out booting ahead.
constexpr const char* kStartVariables[] = {"NODE_OPTIONS", kNodeAuthorities, "LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONHOME",
                                           "PYTHONHASHSEED", "PYTHONWARNINGS", "PYTHONOPTIMIZE", "PYTHONUNBUFFERED",
                                           "AWS_LAMBDA_EXEC_WRAPPER", "UV_THREADPOOL_SIZE"};

const std::string* find_variable(const Version& version, std::string_view name) {
  for (const auto& [key, value] : version.env)
    if (key == name) return &value;
  return nullptr;
}

std::size_t count_extensions(const Version& version, const Options& options) {
  std::size_t count = 0;
  std::error_code error;
  if (version.layers.empty()) return 0;
  for (const auto& entry : std::filesystem::directory_iterator(options.folder + "/" + version.layers + "/extensions", error))
    if (entry.is_regular_file(error) && ::access(entry.path().c_str(), X_OK) == 0) ++count;
  return count;
}

std::string make_log_stream(const Version& version, Time now) {
  const std::string date = replace_all(format_iso8601(now).substr(0, 10), "-", "/");
  return fmt::format("{}/[{}]{}", date, version.number, make_token(thread_random(), 32, "0123456789abcdef"));
}

// What AWS's runtimes have at /var/lang: programs in layers begin with "#!/var/lang/bin/python". Links to the interpreter.
std::string interpreter_folder(const Options& options, Language language, const Interpreter& interpreter) {
  const std::string folder = fmt::format("{}/lang/{}-{}.{}", options.folder, language == Language::kNode ? "node" : "python", interpreter.major, interpreter.minor);
  std::error_code error;
  std::filesystem::create_directories(folder + "/bin", error);
  const std::vector<std::string> names = language == Language::kNode
      ? std::vector<std::string>{"node"}
      : std::vector<std::string>{"python", "python3", fmt::format("python{}.{}", interpreter.major, interpreter.minor)};
  for (const std::string& name : names) {
    const std::string link = folder + "/bin/" + name;
    if (std::filesystem::read_symlink(link, error) == interpreter.program) continue;
    std::filesystem::remove(link, error);   // of an interpreter that was elsewhere
    std::filesystem::create_symlink(interpreter.program, link, error);
  }
  return folder;
}

}  // namespace

Environment::Environment(EnvironmentHost host, Language language, const Interpreter* interpreter)
    : host_(host), language_(language), lines_(language != Language::kProvided) {
  if (interpreter) interpreter_ = *interpreter;
  isolated_files_ = host_.sandboxes.capabilities().tier != sandbox::Tier::kProcesses;
}

Environment::~Environment() {
  host_.reactor.cancel(timer_);
  host_.reactor.cancel(init_timer_);
}

bool Environment::can_be_booted_ahead(const Version& version, const Options& options) {
  if (version.language == Language::kProvided || version.tmp_mib != 512 || count_extensions(version, options) > 0) return false;
  for (const char* name : kStartVariables)
    if (find_variable(version, name)) return false;
  return true;
}

std::string Environment::task_root() const { return isolated_files_ ? "/var/task" : host_.options.folder + "/" + version_->code; }
std::string Environment::layer_root() const {
  if (isolated_files_) return "/opt";
  return version_->layers.empty() ? host_.options.folder + "/empty" : host_.options.folder + "/" + version_->layers;
}
std::string Environment::runtime_folder(bool inside) const {
  if (inside && isolated_files_) return "/var/runtime";
  return host_.options.folder + (language_ == Language::kNode ? "/runtimes/node" : "/runtimes/python");
}

std::vector<std::pair<std::string, std::string>> Environment::trust_variables() const {
  if (host_.options.trust.empty()) return {};
  return sandbox::trust_environment(isolated_files_ ? sandbox::kTrustFolder : host_.options.trust);
}

// Node reads every certificate it knows at its start when NODE_EXTRA_CA_CERTS is set, which takes longer than all else in
// a cold start; OpenSSL's own store (SSL_CERT_FILE) is read by the first connection that needs it.
bool Environment::trusts_by_openssl() const {
  if (language_ != Language::kNode || host_.options.trust.empty() || !sandbox::has_system_trust()) return false;
  const std::string* options = version_ ? find_variable(*version_, "NODE_OPTIONS") : nullptr;
  return !options || options->find("-ca") == std::string::npos;   // Node takes one of its --use-*-ca only
}

std::string Environment::variable_at_start(const std::string& name, const std::string& value) const {
  const bool later = name == kNodeAuthorities && trusts_by_openssl() && !(version_ && find_variable(*version_, name));
  return fmt::format("{}{}={}", later ? "ATOLL_" : "", name, value);   // the bootstrap sets it for the processes it starts
}

std::vector<std::pair<std::string, std::string>> Environment::environment_variables() const {
  const bool own_network = sandbox_ ? sandbox_->isolated_network() : host_.sandboxes.capabilities().isolated_network && isolated_files_;
  const std::string root = layer_root();
  const std::string api = own_network ? fmt::format("127.0.0.1:{}", kApiPort) : fmt::format("127.0.0.1:{}", port_);
  const std::string endpoint = fmt::format("http://{}:{}", own_network ? sandbox::kApiAddressText : "127.0.0.1", host_.options.api_port);
  std::vector<std::pair<std::string, std::string>> env = {
      {"PATH", fmt::format("{}:/usr/local/bin:/usr/bin:/bin:{}/bin", interpreter_ ? std::filesystem::path(interpreter_->program).parent_path().string() : "/var/lang/bin", root)},
      {"LD_LIBRARY_PATH", fmt::format("{0}:{0}/lib:{1}/lib", task_root(), root)},
      {"LANG", "en_US.UTF-8"}, {"TZ", ":UTC"}, {"HOME", "/tmp"},
      {"NODE_PATH", fmt::format("{0}/nodejs/node{1}/node_modules:{0}/nodejs/node_modules:{2}/node_modules:{2}:{3}", root,
                                interpreter_ ? interpreter_->major : 0, runtime_folder(true), task_root())},
      {"LAMBDA_RUNTIME_DIR", runtime_folder(true)},
      {"AWS_ENDPOINT_URL", endpoint},
      {"LOCALSTACK_HOSTNAME", own_network ? sandbox::kApiAddressText : "127.0.0.1"},
      {"EDGE_PORT", std::to_string(host_.options.api_port)}};
  const auto set = [&](std::string_view name, std::string value) {
    for (auto& [key, current] : env)
      if (key == name) return void(current = std::move(value));
    env.emplace_back(name, std::move(value));
  };
  for (const auto& [name, value] : trust_variables()) set(name, value);
  for (const auto& [name, value] : version_->env) set(name, value);
  set("AWS_LAMBDA_RUNTIME_API", api);
  set("LAMBDA_TASK_ROOT", task_root());
  set("_HANDLER", version_->handler);
  set("AWS_LAMBDA_FUNCTION_NAME", version_->name);
  set("AWS_LAMBDA_FUNCTION_VERSION", version_->number);
  set("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", std::to_string(version_->memory_mib));
  set("AWS_LAMBDA_LOG_GROUP_NAME", version_->log_group);
  set("AWS_LAMBDA_LOG_STREAM_NAME", log_stream_);
  set("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand");
  if (!isolated_files_) set("ATOLL_LAYER_ROOT", root);
  return env;
}

sandbox::Spec Environment::make_spec(bool ahead) {
  const std::string& folder = host_.options.folder;
  sandbox::Spec spec;
  spec.id = fmt::format("{}-{}", ::getpid(), make_token(thread_random(), 12));
  spec.hostname = "169-254-76-2";
  spec.host_port = static_cast<std::uint16_t>(host_.options.api_port);
  spec.listen_ports = {kApiPort};
  if (language_ != Language::kProvided) {
    spec.binds.push_back({runtime_folder(false), "/var/runtime"});
    // Where import looks from /var/task; require() goes by NODE_PATH.
    if (const std::string modules = runtime_folder(false) + "/node_modules"; isolated_files_ && language_ == Language::kNode && ::access(modules.c_str(), F_OK) == 0)
      spec.binds.push_back({modules, "/var/node_modules"});
    if (!interpreter_->prefix.empty()) spec.binds.push_back({interpreter_->prefix, interpreter_->prefix});
    if (isolated_files_) spec.binds.push_back({interpreter_folder(host_.options, language_, *interpreter_), "/var/lang"});
    spec.argv = {interpreter_->program};
    if (trusts_by_openssl()) spec.argv.emplace_back("--use-openssl-ca");
    if (language_ == Language::kPython) spec.argv.emplace_back("-B");
    spec.argv.push_back(runtime_folder(true) + (language_ == Language::kNode ? "/bootstrap.cjs" : "/bootstrap.py"));
  }
  if (!host_.options.trust.empty() && isolated_files_) spec.binds.push_back({host_.options.trust, sandbox::kTrustFolder});
  if (ahead) {
    spec.later_root = folder + "/packages";
    spec.later_targets = {"/var/task", "/opt"};
    const bool own_network = isolated_files_ && host_.sandboxes.capabilities().isolated_network;
    spec.env = {"ATOLL_POOLED=1", "PATH=/usr/local/bin:/usr/bin:/bin", "HOME=/tmp", "LANG=en_US.UTF-8", "TZ=:UTC",
                fmt::format("AWS_LAMBDA_RUNTIME_API=127.0.0.1:{}", own_network ? static_cast<int>(kApiPort) : port_)};
    for (const auto& [name, value] : trust_variables()) spec.env.push_back(variable_at_start(name, value));
    return spec;
  }
  spec.binds.push_back({folder + "/" + version_->code, "/var/task"});
  if (!version_->layers.empty()) spec.binds.push_back({folder + "/" + version_->layers, "/opt"});
  spec.cwd = task_root();
  spec.limits.memory_bytes = static_cast<std::uint64_t>(version_->memory_mib) << 20;
  spec.limits.tmp_bytes = static_cast<std::uint64_t>(version_->tmp_mib) << 20;
  if (language_ == Language::kProvided) {
    const bool in_code = ::access((folder + "/" + version_->code + "/bootstrap").c_str(), F_OK) == 0;
    spec.argv = {(in_code ? task_root() : layer_root()) + "/bootstrap"};
  }
  if (const std::string* wrapper = find_variable(*version_, "AWS_LAMBDA_EXEC_WRAPPER")) spec.argv.insert(spec.argv.begin(), *wrapper);
  if (extensions_expected_ > 0) {
    const std::string script = fmt::format("for e in {}/extensions/*; do [ -x \"$e\" ] && [ ! -d \"$e\" ] && \"$e\" 3>&- & done; exec \"$@\"", layer_root());
    spec.argv.insert(spec.argv.begin(), {"/bin/sh", "-c", script, "sh"});
  }
  for (const auto& [name, value] : environment_variables()) spec.env.push_back(variable_at_start(name, value));
  return spec;
}

void Environment::start_server(std::vector<int> listeners) {
  if (!server_) {
    http::ServerOptions options;
    options.idle_timeout = 24h;
    options.body_timeout = 20min;
    server_ = std::make_unique<http::Server>(
        host_.reactor, [self = shared_from_this()](http::Request& request) { return RuntimeApi::serve(self, request); }, options);
  }
  for (int fd : listeners) server_->adopt_listener(fd);
}

void Environment::spawn(bool ahead) {
  const bool own_network = isolated_files_ && host_.sandboxes.capabilities().isolated_network;
  start_server({});
  if (!own_network) port_ = server_->listen("127.0.0.1", 0, false).value_or(0);
  const auto self = shared_from_this();
  sandbox::Spec spec = make_spec(ahead);
  const int channel = open_channel(spec);
  sandbox_ = host_.sandboxes.spawn(host_.reactor, std::move(spec), {
      .on_ready = [self](std::vector<int> listeners) {
        if (!self->ended_) return self->start_server(std::move(listeners));
        for (int fd : listeners) ::close(fd);
      },
      .on_output = [self](sandbox::Stream, std::string_view bytes) { self->on_output(bytes); },
      .on_exit = [self](const sandbox::Exit& exit) { self->on_exit(exit); }}, channel);
}

// Our own runtimes get a connection to the Runtime API as they start: neither needs its language's network library for
// that, which takes longer to load than all else. A wrapper may not hand descriptors on.
int Environment::open_channel(sandbox::Spec& spec) {
  if (language_ == Language::kProvided || (version_ && find_variable(*version_, "AWS_LAMBDA_EXEC_WRAPPER"))) return -1;
  int ends[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) return -1;
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  server_->adopt_connection(ends[0], "127.0.0.1:0");
  spec.env.emplace_back("ATOLL_RUNTIME_CHANNEL=3");
  return ends[1];
}

void Environment::boot() { spawn(true); }

void Environment::assign(VersionPtr version, EnvironmentEvents events) {
  version_ = std::move(version);
  events_ = std::move(events);
  log_stream_ = make_log_stream(*version_, host_.reactor.now());
  init_started_ = io::monotonic_micros();
  extensions_expected_ = count_extensions(*version_, host_.options);
  assigned_ = true;
  arm_init_timer();
  if (!sandbox_) return spawn(false);
  if (assignment_) assign_now();
}

void Environment::refuse(VersionPtr version, std::string error_type, const std::string& message) {
  version_ = std::move(version);
  log_stream_ = make_log_stream(*version_, host_.reactor.now());
  init_started_ = io::monotonic_micros();
  init_error_body_ = wire::Json::object({{"errorType", error_type}, {"errorMessage", message}}).dump();
  init_error_type_ = std::move(error_type);
  ended_ = true;
}

void Environment::assign_now() {
  const auto answer = [self = shared_from_this()] {
    wire::Json env = wire::Json::object();
    for (const auto& [name, value] : self->environment_variables()) env.set(name, value);
    const wire::Json json = wire::Json::object({{"env", std::move(env)}, {"cwd", self->task_root()}});
    if (self->assignment_) std::exchange(self->assignment_, nullptr)->set(json.dump());
  };
  sandbox_->set_memory_limit(static_cast<std::uint64_t>(version_->memory_mib) << 20);
  if (!isolated_files_) return answer();
  constexpr std::string_view kPackages = "packages/";
  std::vector<sandbox::Bind> binds = {{version_->code.substr(kPackages.size()), "/var/task"}};
  if (!version_->layers.empty()) binds.push_back({version_->layers.substr(kPackages.size()), "/opt"});
  sandbox_->attach(binds, [self = shared_from_this(), answer](Result<void, Failure> result) {
    if (result) return answer();
    self->init_error_type_ = "Sandbox.Failure";
    self->init_error_body_ = wire::Json::object({{"errorType", "Sandbox.Failure"}, {"errorMessage", result.error().message}}).dump();
    self->sandbox_->kill();
  });
}

void Environment::arm_init_timer() {
  init_timer_ = host_.reactor.after(kInitTimeout, [this] {
    log("INIT_REPORT Init Duration: 10000.00 ms\tPhase: init\tStatus: timeout\n");
    // As on AWS, a slow init gets a second chance within the function's own time.
    init_timer_ = host_.reactor.after(version_->timeout, [this] {
      init_timer_ = 0;
      init_error_type_ = "Sandbox.Timedout";
      sandbox_->kill();
    });
  });
}

void Environment::on_output(std::string_view bytes) {
  if (!version_) return;
  lines_.add(bytes, [this](std::string_view line) { log(line); });
}

void Environment::log(std::string_view line) {
  if (running_) tail_.add(line);
  host_.logs.write(*version_, log_stream_, host_.reactor.now(), line);
}

void Environment::note_progress() {
  if (ended_ || !version_ || is_ready_ || !next_ || running_ || extensions_.size() < extensions_expected_ || !extensions_.all_waiting()) return;
  is_ready_ = true;
  if (!ready_once_) {
    ready_once_ = true;
    host_.reactor.cancel(std::exchange(init_timer_, 0));
    init_duration_ = Duration(io::monotonic_micros() - init_started_);
    report_init_ = true;
  }
  if (events_.on_ready) events_.on_ready();
}

void Environment::run(Invocation invocation, Done done) {
  is_ready_ = false;
  tail_.clear();
  running_.emplace(Running{.invocation = std::move(invocation), .done = std::move(done)});
  running_->started_micros = io::monotonic_micros();
  // By the real clock, which is the one that the function reads; the system's may have been moved.
  running_->deadline = sandbox::workload_time() + version_->timeout;
  timer_ = host_.reactor.after(version_->timeout, [self = shared_from_this()] { self->time_out(); });
  log(fmt::format("START RequestId: {} Version: {}\n", running_->invocation.request_id, version_->number));
  if (!extensions_.empty()) {
    const Invocation& it = running_->invocation;
    extensions_.publish_invoke(wire::Json::object({{"eventType", "INVOKE"}, {"deadlineMs", to_millis(running_->deadline)},
        {"requestId", it.request_id}, {"invokedFunctionArn", it.invoked_arn},
        {"tracing", wire::Json::object({{"type", "X-Amzn-Trace-Id"}, {"value", it.trace_id}})}}).dump());
  }
  std::exchange(next_, nullptr)->set(true);
}

void Environment::finish(Outcome outcome, std::string_view status, std::string_view error_type) {
  if (!running_) return;
  const auto keep = shared_from_this();
  host_.reactor.cancel(std::exchange(timer_, 0));
  if (sandbox_) sandbox_->flush_output();  // what was printed before the answer belongs before its END line
  const std::string& id = running_->invocation.request_id;
  const std::string& trace = running_->invocation.trace_id;
  const std::size_t root = trace.find("Root=");
  Report report{.request_id = id, .duration = Duration(io::monotonic_micros() - running_->started_micros),
                .init = report_init_ ? init_duration_ : Duration{}, .memory_mib = version_->memory_mib,
                .used_bytes = sandbox_ ? sandbox_->memory_bytes() : 0, .status = std::string(status), .error_type = std::string(error_type)};
  if (version_->traced && root != std::string::npos && trace.find("Sampled=1") != std::string::npos) report.trace_id = trace.substr(root + 5, trace.find(';', root) - root - 5);
  const std::uint64_t limit = std::uint64_t{version_->memory_mib} << 20;
  // Of a sandbox that ended, what was seen last; one that ran out of memory had used all of it.
  if (exit_) report.used_bytes = exit_->out_of_memory ? limit : used_bytes_;
  used_bytes_ = report.used_bytes = std::min(report.used_bytes, limit);
  report_init_ = false;
  log(fmt::format("END RequestId: {}\n", id));
  log(report_line(report));
  outcome.log_tail = tail_.text();
  Running finished = std::move(*running_);
  running_.reset();
  if (finished.stream) {
    finished.stream->log_tail = outcome.log_tail;
    finished.stream->finish(outcome.failed ? (error_type.empty() ? "Sandbox.Timedout" : std::string(error_type)) : std::string(), outcome.failed ? outcome.payload : std::string());
  }
  if (finished.done) finished.done(std::move(outcome));
}

// https://docs.aws.amazon.com/lambda/latest/dg/troubleshooting-invocation.html
void Environment::time_out() {
  timer_ = 0;
  if (!running_) return;
  const std::string& id = running_->invocation.request_id;
  sandbox_->flush_output();
  const std::string after = seconds_text(version_->timeout);
  log(fmt::format("{} {} Task timed out after {} seconds\n\n", format_iso8601(host_.reactor.now(), true), id, after));
  Outcome outcome;
  outcome.failed = true;
  outcome.payload = wire::Json::object({{"errorType", "Sandbox.Timedout"},
      {"errorMessage", fmt::format("RequestId: {} Error: Task timed out after {} seconds", id, after)}}).dump();
  finish(std::move(outcome), "timeout", {});
  stop("timeout");
}

std::string Environment::exit_message() const {
  if (exit_->signal == SIGKILL) return "Runtime exited with error: signal: killed";
  if (exit_->signal != 0) return fmt::format("Runtime exited with error: signal: {}", to_lower(::strsignal(exit_->signal)));
  if (exit_->code != 0) return fmt::format("Runtime exited with error: exit status {}", exit_->code);
  return "Runtime exited without providing a reason";
}

void Environment::on_exit(const sandbox::Exit& exit) {
  const auto keep = shared_from_this();
  exit_ = exit;
  if (version_) lines_.flush([this](std::string_view line) { log(line); });
  host_.reactor.cancel(std::exchange(init_timer_, 0));
  if (running_) {
    const std::string type = exit.out_of_memory ? "Runtime.OutOfMemory" : "Runtime.ExitError";
    const std::string message = fmt::format("RequestId: {} Error: {}", running_->invocation.request_id, exit_message());
    log(fmt::format("{}\nRuntime.ExitError\n", message));
    Outcome outcome;
    outcome.failed = true;
    outcome.payload = wire::Json::object({{"errorType", "Runtime.ExitError"}, {"errorMessage", message}}).dump();
    finish(std::move(outcome), "error", type);
  }
  ended_ = true;
  is_ready_ = false;
  extensions_.end();
  if (next_) std::exchange(next_, nullptr)->set(false);
  if (assignment_) std::exchange(assignment_, nullptr)->set({});
  // The server's handler keeps this environment alive; a request may still be on the stack.
  host_.reactor.post([server = std::shared_ptr<http::Server>(std::move(server_))] {});
  const EnvironmentEvents events = std::exchange(events_, {});
  if (events.on_ended) events.on_ended();
}

Outcome Environment::init_failure(const Invocation& invocation) {
  const std::string& id = invocation.request_id;
  Outcome outcome;
  outcome.failed = true;
  std::string type = init_error_type_;
  if (type == "Sandbox.Timedout") {
    outcome.payload = wire::Json::object({{"errorType", type},
        {"errorMessage", fmt::format("RequestId: {} Error: Task timed out after {} seconds", id, seconds_text(version_->timeout))}}).dump();
  } else if (!init_error_body_.empty()) {
    outcome.payload = init_error_body_;
  } else {
    type = "Runtime.ExitError";
    std::string message = exit_ ? exit_message() : "Runtime exited without providing a reason";
    if (exit_ && !exit_->start_failure.empty()) {
      const bool no_bootstrap = language_ == Language::kProvided && exit_->start_failure.find("/bootstrap: No such file") != std::string::npos;
      type = "Runtime.InvalidEntrypoint";
      message = no_bootstrap ? "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]" : exit_->start_failure;
    }
    outcome.payload = wire::Json::object({{"errorType", type}, {"errorMessage", fmt::format("RequestId: {} Error: {}", id, message)}}).dump();
  }
  tail_.clear();
  const auto line = [&](const std::string& text) {
    tail_.add(text);
    log(text);
  };
  const Duration spent(io::monotonic_micros() - init_started_);
  line(fmt::format("INIT_REPORT Init Duration: {:.2f} ms\tPhase: init\tStatus: error\tError Type: {}\n", static_cast<double>(spent.count()) / 1000, type));
  line(fmt::format("START RequestId: {} Version: {}\n", id, version_->number));
  line(fmt::format("END RequestId: {}\n", id));
  line(report_line({.request_id = id, .duration = spent, .memory_mib = version_->memory_mib, .status = "error", .error_type = type}));
  outcome.log_tail = tail_.text();
  return outcome;
}

void Environment::stop(std::string_view reason) {
  if (ended_ || stopping_ || !sandbox_) return;
  stopping_ = true;
  if (!extensions_.wants_shutdown()) return sandbox_->kill();
  const Time deadline = sandbox::workload_time() + kExtensionShutdown;
  extensions_.publish_shutdown(wire::Json::object({{"eventType", "SHUTDOWN"}, {"shutdownReason", reason}, {"deadlineMs", to_millis(deadline)}}).dump());
  sandbox_->stop(SIGTERM, kExtensionShutdown);
}

}  // namespace reef::function
