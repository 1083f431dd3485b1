// One running system: storage, engines, services, gateway and servers, made in this order and taken down in reverse.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "app/admin.h"
#include "app/config.h"
#include "app/engines.h"
#include "app/names.h"
#include "app/network_gate.h"
#include "app/storage.h"
#include "aws/access_keys.h"
#include "aws/exchange_observer.h"
#include "gateway/gateway.h"
#include "http/server.h"
#include "io/tls.h"

namespace reef::app {

class System {
 public:
  explicit System(Config config);
  ~System();

  // Recovers and listens. An error says what to do about it.
  Result<void, Failure> start();
  // Serves until stop was asked for (SIGTERM, SIGINT); `ready` is called when the first request can come.
  void run(const std::function<void()>& ready);
  int port() const { return config_.port; }
  // JSON of every operation and resource type, from the registered services.
  static std::string describe_coverage();

 private:
  Result<void, Failure> choose_port();
  void run_loop(std::size_t index);
  void begin_stop();
  io::TlsContext* tls();

  Config config_;
  io::SystemClock clock_;
  std::unique_ptr<sandbox::Sandboxes> sandboxes_;
  std::unique_ptr<Storage> storage_;
  std::unique_ptr<edge::Authority> authority_;
  Parts parts_;
  aws::AccessKeys keys_;
  aws::ExchangeObservers observers_;
  std::unique_ptr<Engines> engines_;
  std::unique_ptr<gateway::Registry> registry_;
  std::unique_ptr<gateway::Dispatcher> dispatcher_;
  std::unique_ptr<gateway::Gateway> gateway_;
  std::unique_ptr<AdminContext> admin_;
  std::vector<std::unique_ptr<http::Server>> servers_;
  std::unique_ptr<NetworkGate> gate_;
  std::unique_ptr<Names> names_;
  std::vector<std::thread> threads_;
  std::once_flag tls_once_;
  std::unique_ptr<io::TlsContext> tls_;
  std::atomic<std::size_t> draining_{0};
  bool stopping_ = false;
};

}  // namespace reef::app
