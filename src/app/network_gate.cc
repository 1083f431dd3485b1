#include "app/network_gate.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "engine/store/shard.h"

namespace reef::app {
namespace {

constexpr std::uint32_t kLoopback = 127, kInside = 240;  // see Names::with_loopback_range
constexpr std::size_t kSentencesMax = 1000;

std::uint16_t client_port(int fd) {
  sockaddr_in peer{};
  socklen_t size = sizeof peer;
  return ::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0 ? ntohs(peer.sin_port) : 0;
}

void reset(int fd) {
  const linger now{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::close(fd);
}

}  // namespace

network::Party NetworkGate::sender(const network::View& view, std::string_view sandbox) const {
  network::Party out;
  if (const task::LiveTask* task = tasks_.owner_of(sandbox)) {
    out.address = network::parse_address(task->address).value_or(0);
    out.interface = view.at(out.address);
    if (!out.interface) out.names = {task->plan.id};
  }
  return out;
}

bool NetworkGate::refuse(std::string_view sandbox, sandbox::Destination to, int fd) {
  if (to.address >> 16 == 0xA9FE || to.address >> 24 == kLoopback) return false;  // AWS's own endpoints
  const auto view = networks_.view();
  network::Flow flow{.from = sender(*view, sandbox), .to = {.address = to.address, .interface = {}, .names = {}}, .from_port = client_port(fd), .to_port = to.port};
  if (to.address >> 24 == kInside) {
    const std::string* owner = view->front(kLoopback << 24 | (to.address & 0xFFFFFF));
    if (owner) flow.to.interface = network::View::nearest(view->of(*owner), flow.from.interface);
    if (flow.to.interface) flow.to.address = flow.to.interface->address;
  } else {
    flow.to.interface = view->at(to.address);
  }
  const network::Verdict verdict = view->decide(flow);
  if (verdict.passes()) return false;
  log_refusal(flow, verdict);
  reset(fd);
  return true;
}

void NetworkGate::log_refusal(const network::Flow& flow, const network::Verdict& verdict) {
  const std::string sentence = network::View::explain(flow, verdict);
  const Time now = store::Shard::control().now();
  if (logged_.size() > kSentencesMax) logged_.clear();
  const auto [at, is_new] = logged_.try_emplace(sentence, now);
  if (!is_new && now - at->second < 1s) return;
  at->second = now;
  log::warn("connection refused", {{"network", sentence}});
}

}  // namespace reef::app
