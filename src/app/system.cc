#include "app/system.h"

#include <pthread.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include <fmt/format.h>

#include "app/clock_file.h"
#include "app/images_admin.h"
#include "app/mesh.h"
#include "app/partitions_admin.h"
#include "app/start_code.h"
#include "base/log.h"
#include "engine/sandbox/outbound.h"
#include "engine/sandbox/trust.h"
#include "engine/store/journal.h"
#include "service/cloudformation/signals.h"
#include "service/ecr/registry.h"
#include "service/ecs/metadata.h"
#include "service/elasticloadbalancingv2/sign_in.h"
#include "service/lambda/downloads.h"
#include "service/lambda/function_urls.h"
#include "service/s3/cors.h"
#include "service/s3/post_upload.h"
#include "service/s3/request_metrics.h"

namespace reef::service {
std::vector<std::unique_ptr<aws::Service>> make_all(Parts& parts);
}

namespace reef::app {
namespace {

constexpr Duration kDrainMax = 5s;

// SIGTERM and SIGINT as an event of the control loop.
class StopSignals final : public io::FdHandler {
 public:
  StopSignals(io::Reactor& reactor, std::function<void()> stop) : reactor_(reactor), stop_(std::move(stop)) {
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    fd_ = io::Fd(::signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
    reactor_.watch(fd_.get(), EPOLLIN, this);
  }
  ~StopSignals() override { reactor_.unwatch(fd_.get(), this); }
  void on_ready(std::uint32_t) override {
    signalfd_siginfo info;
    while (::read(fd_.get(), &info, sizeof info) == sizeof info) stop_();
  }

 private:
  io::Reactor& reactor_;
  std::function<void()> stop_;
  io::Fd fd_;
};

// API Gateway's APIs, load balancers and what user pools publish, by host name or path.
gateway::SideDoor make_site_door(const edge::Sites& sites) {
  return {.wants =
              [&sites](const http::Request& request) {
                const auto address = sites.find_address(request);
                return address && address->kind != "lambda-url";
              },
          .serve = [&sites](http::Request& request) { return sites.serve(request); }};
}

// Every connection, segment and sandbox takes descriptors, and the usual soft limit is 1024.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  constexpr rlim_t kWanted = 1 << 20;
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, kWanted);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

System::System(Config config) : config_(std::move(config)) {}

System::~System() {
  names_.reset();
  if (engines_) engines_->dialer.set_guard(nullptr);
  gate_.reset();
  servers_.clear();
  gateway_.reset();
  registry_.reset();
  dispatcher_.reset();
  engines_.reset();
  storage_.reset();
}

Result<void, Failure> System::start() {
  // Blocked before any thread exists, so that only the signalfd sees them.
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  raise_descriptor_limit();

  const std::int64_t began = io::monotonic_micros();
  TRY(choose_port());
  std::optional<sandbox::Tier> tier;
  if (config_.tier == "t0") tier = sandbox::Tier::kRoot;
  if (config_.tier == "t1") tier = sandbox::Tier::kUserNamespaces;
  if (config_.tier == "t2") tier = sandbox::Tier::kProcesses;
  sandboxes_ = TRY(sandbox::Sandboxes::start(tier));  // forks: before any thread exists
  storage_ = TRY(Storage::open(config_, clock_));
  TRY(load_clock(config_.data, clock_));
  storage_->shards[0]->adopt_thread();
  authority_ = TRY(edge::Authority::open(config_.data + "/acm", io::SystemClock().now()));
  TRY(sandbox::write_trust_files(trust_folder(config_), authority_->certificate_pem()));
  engines_ = std::make_unique<Engines>(config_, *storage_, *sandboxes_, *authority_, parts_);
  if (config_.auth.mode == gateway::AuthMode::kStrict) keys_.refuse_unknown();
  parts_.add(keys_);
  parts_.add(observers_);
  // The dispatcher is a part of services, and finds them through the registry that is filled from them.
  registry_ = std::make_unique<gateway::Registry>(std::vector<std::unique_ptr<aws::Service>>{});
  dispatcher_ = std::make_unique<gateway::Dispatcher>(*registry_, engines_->spans, fmt::format("http://localhost:{}", config_.port));
  parts_.add<aws::Caller>(*dispatcher_);
  *registry_ = gateway::Registry(service::make_all(parts_));
  dispatcher_->index_resources();
  TRY(storage_->recover());
  restore_partitions(engines_->networks);
  gateway_ = std::make_unique<gateway::Gateway>(*registry_, *dispatcher_, keys_, observers_, gateway::GatewaySettings{.auth = config_.auth});
  admin_ = std::make_unique<AdminContext>(AdminContext{*registry_, *dispatcher_, config_.auth, engines_->spans, *storage_, engines_->resets, keys_, began, engines_->host_names});
  gateway_->add_side_door({.wants = service::lambda::wants_download, .serve = [this](http::Request& request) {
                             return service::lambda::serve_download(engines_->functions.options().folder, request);
                           }});
  gateway_->add_side_door({.wants = service::lambda::FunctionUrls::wants, .serve = [this](http::Request& request) {
                             return parts_.get<service::lambda::FunctionUrls>().serve(request);
                           }});
  gateway_->add_side_door({.wants = service::ecr::Registry::wants, .serve = [this](http::Request& request) {
                             return parts_.get<service::ecr::Registry>().serve(request);
                           }});
  gateway_->add_side_door({.wants = service::ecs::wants_metadata, .serve = [this](http::Request& request) {
                             return service::ecs::serve_metadata(parts_.get<service::ecs::Ecs>(), request);
                           }});
  gateway_->add_side_door({.wants = service::elb::SignInKeyring::wants, .serve = [this](http::Request& request) -> Task<http::Response> {
                             co_return parts_.get<service::elb::SignInKeyring>().serve(request);
                           }});
  gateway_->add_side_door({.wants = cloudformation::Signals::wants, .serve = [this](http::Request& request) { return parts_.get<cloudformation::Signals>().take(request); }});
  gateway_->add_side_door(make_site_door(engines_->sites));
  gateway_->add_side_door({.wants = [this](const http::Request& request) {
                             std::string path;
                             return s3::is_preflight(engines_->blobs, request, path);
                           },
                           .serve = [this](http::Request& request) -> Task<http::Response> {
                             std::string path;
                             s3::is_preflight(engines_->blobs, request, path);
                             co_return s3::answer_preflight(engines_->blobs, path, request);
                           }});
  gateway_->add_side_door({.wants = [this](const http::Request& request) { return s3::is_post_upload(engines_->blobs, request); },
                           .serve = [this](http::Request& request) {
                             return s3::take_post_upload({.metrics = parts_.get<s3::RequestMetrics>(), .blobs = engines_->blobs, .caller = *dispatcher_, .keys = keys_,
                                                          .knows_all_keys = config_.auth.mode == gateway::AuthMode::kStrict,
                                                          .default_account = config_.auth.default_account, .default_region = config_.auth.default_region}, request);
                           }});
  gateway_->add_side_door(make_images_admin(engines_->images, engines_->tasks, engines_->session_clients));
  gateway_->add_side_door(make_mesh_admin(engines_->mesh));
  gateway_->add_side_door(make_partitions_admin(engines_->networks));
  gateway_->add_side_door({.wants = [](const http::Request& request) { return request.path == "/_atoll/dns"; },
                           .serve = [this](http::Request&) { return names_->describe(); }});
  gateway_->add_side_door({.wants = [](const http::Request& request) { return request.path == "/_atoll/authority.pem"; },
                           .serve = [this](http::Request&) -> Task<http::Response> {
                             http::Response response;
                             response.set("content-type", "application/x-pem-file");
                             response.body = authority_->certificate_pem();
                             co_return response;
                           }});
  gateway_->add_side_door(make_admin(*admin_));
  for (std::size_t i = 0; i < storage_->reactors.size(); ++i) {
    http::ServerOptions options;
    options.tls = [this] { return tls(); };
    servers_.push_back(std::make_unique<http::Server>(
        *storage_->reactors[i], [this](http::Request& request) { return gateway_->handle(request); }, std::move(options)));
    TRY(servers_.back()->listen(config_.address, config_.port));
  }
  names_ = std::make_unique<Names>(*storage_, engines_->zones, engines_->health_checks, engines_->host_names);
  TRY(names_->listen(config_));
  engines_->functions.set_api_port(config_.port);
  engines_->tasks.set_api_port(config_.port);
  sandboxes_->set_outbound_policy(Names::with_loopback_range(sandbox::default_outbound_policy(config_.port)));
  sandboxes_->set_dns([this](std::string_view sandbox, std::string_view query) {
    auto reply = answer_mesh(engines_->mesh, engines_->tasks, sandbox, query);
    return reply ? reply : names_->answer_sandbox(query, gate_->vpc_of(sandbox));
  });
  gate_ = std::make_unique<NetworkGate>(engines_->networks, engines_->connections, engines_->tasks, engines_->functions);
  engines_->dialer.set_guard(gate_.get());
  // Functions live on the control shard: what they send to the API is served there, without a relay in between.
  sandboxes_->set_adopt([this](std::string_view sandbox, sandbox::Destination original, int fd) {
    if (adopt_mesh(engines_->mesh, engines_->tasks, sandbox, original, fd)) return true;
    if (gate_->adopt(sandbox, original, fd)) return true;
    if (engines_->tasks.adopt(original, fd)) return true;   // an address of a task that has ended
    if (original == service::ecs::kTaskMetadata) {
      servers_[0]->adopt_connection(fd, "169.254.170.2:0");
      return true;
    }
    const bool is_local = original.address >> 24 == 127 && original.port == config_.port;
    if ((original.address != sandbox::kApiAddress || original.port == 53) && !is_local) return false;
    servers_[0]->adopt_connection(fd, "169.254.76.2:0");
    return true;
  });
  return {};
}

// Port 0 becomes a free one. The loops share the port among themselves, which would also let a second daemon share it
// unnoticed: hence the look beforehand.
Result<void, Failure> System::choose_port() {
  const auto free = io::listen_tcp(config_.address, config_.port, false);
  if (!free) {
    const char* const advice = free.error().code == EADDRINUSE ? "something else is using the port; choose another with --port"
                               : free.error().code == EACCES   ? "ports below 1024 take a privilege; choose another with --port"
                                                               : "choose an address of this machine with --address";
    return Err(Failure{fmt::format("{}: {}", free.error().message, advice), free.error().code});
  }
  config_.port = io::local_port(free->get());
  return {};
}

std::string System::describe_coverage() {
  char folder[] = "/tmp/atoll-coverage-XXXXXX";
  if (!::mkdtemp(folder)) return {};
  std::string out;
  {
    System system({.port = 0, .data = folder, .shards = 1});
    if (system.start()) out = coverage(*system.registry_).dump();
  }
  std::filesystem::remove_all(folder);
  return out;
}

io::TlsContext* System::tls() {
  std::call_once(tls_once_, [this] {
    auto pair = authority_->issue_now({"localhost", "*.localhost", "*.localhost.localstack.cloud", "localhost.localstack.cloud", "127.0.0.1", "::1"},
                                      io::SystemClock().now());
    // Further names of APIs, and AWS's own as sandboxes use them, get a certificate when they are first asked for.
    const auto issue = [this](const std::string& name) -> std::optional<io::PemPair> {
      if (!sandbox::leads_here(name)) return std::nullopt;
      auto made = authority_->issue_now({name}, io::SystemClock().now());
      return made ? std::optional(*std::move(made)) : std::nullopt;
    };
    auto context = pair ? io::TlsContext::server(io::ServerTls{.certificates = {*pair}, .issue = issue}) : Err(pair.error());
    if (context) tls_ = *std::move(context);
    else log::error("no TLS certificate", {{"reason", context.error().message}});
  });
  return tls_.get();
}

void System::run_loop(std::size_t index) {
  storage_->shards[index]->adopt_thread();
  storage_->reactors[index]->run();
}

void System::run(const std::function<void()>& ready) {
  for (std::size_t i = 1; i < storage_->reactors.size(); ++i)
    threads_.emplace_back([this, i] {
      ::pthread_setname_np(::pthread_self(), fmt::format("atoll-{}", i).c_str());
      run_loop(i);
    });
  const StopSignals signals(*storage_->reactors[0], [this] { begin_stop(); });
  storage_->reactors[0]->post([this, &ready] {
    engines_->images.start();
    engines_->tasks.start();
    for (const auto& entry : registry_->all()) entry->service->start();
    log::info("ready", {{"address", config_.address}, {"port", config_.port}, {"data", config_.data}, {"shards", storage_->shards.size()}});
    ready();
    unmap_start_code();
  });
  run_loop(0);
  for (std::thread& thread : threads_) thread.join();
  storage_->close();
  log::info("stopped", {});
}

// New connections are refused, running requests get a few seconds, then the loops end.
void System::begin_stop() {
  if (stopping_) return;
  stopping_ = true;
  log::info("stopping", {});
  engines_->queues.stop_waiting();
  engines_->balancers.stop();
  for (const auto& entry : registry_->all()) entry->service->stop();
  // Whatever still waits after the drain's own deadline is not waited for: stopping has a bound.
  storage_->reactors[0]->after(kDrainMax + 1s, [this] {
    log::warn("stopping with requests unanswered", {});
    for (const auto& reactor : storage_->reactors) reactor->stop();
  });
  draining_ = servers_.size();
  for (std::size_t i = 0; i < servers_.size(); ++i)
    storage_->reactors[i]->post([this, i] {
      servers_[i]->drain(kDrainMax, [this] {
        if (draining_.fetch_sub(1) == 1)
          for (const auto& reactor : storage_->reactors) reactor->stop();
      });
    });
}

}  // namespace reef::app
