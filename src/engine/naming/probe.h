// One look at an endpoint, as Route 53's checkers do it: a TCP connection, or an HTTP exchange on it.
// https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/dns-failover-determining-health-of-endpoints.html
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/task.h"
#include "io/reactor.h"
#include "io/socket.h"
#include "io/tls.h"

namespace reef::naming {

struct ProbeTarget {
  std::string address;  // numeric
  int port = 80;
  bool http = false, tls = false;
  std::string host;     // of the Host header and SNI; empty: the address
  bool sni = true;
  std::string path = "/";
  std::string search;   // must be in the first 5,120 bytes of the body; empty: anything
};

struct ProbeResult {
  bool ok = false;
  std::string text;  // "Success: HTTP Status Code 200, OK"
};

class Probe final : public io::FdHandler {
 public:
  using Done = std::move_only_function<void(ProbeResult)>;
  // Starts at once; `done` is called once, later, unless the probe is dropped before.
  // `dial` connects; without one, directly.
  using Dial = std::function<Task<Result<int, Failure>>(std::string ip, int port)>;
  Probe(io::Reactor& reactor, ProbeTarget target, const Dial& dial, Done done);
  ~Probe() override;
  void on_ready(std::uint32_t events) override;

 private:
  enum class Step { kConnect, kHandshake, kSend, kReceive };
  Task<void> connect(Dial dial);
  void begin(Result<io::Fd, Failure> fd);
  void advance();
  void receive();
  void finish(bool ok, std::string text);
  void set_deadline(Duration after, const char* what);

  io::Reactor& reactor_;
  ProbeTarget target_;
  Done done_;
  std::unique_ptr<io::Transport> transport_;
  Step step_ = Step::kConnect;
  std::string out_, in_;
  io::Reactor::TimerId timer_ = 0;
  bool finished_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // a dial may end after the probe
};

// The status line and body of what arrived, judged: nothing while more is needed.
std::optional<ProbeResult> judge_http(std::string_view received, bool at_end, std::string_view search);

}  // namespace reef::naming
