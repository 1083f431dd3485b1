#include "engine/edge/balancer/tcp_connection.h"

#include <arpa/inet.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "engine/edge/balancer/scratch.h"
#include "engine/edge/balancer/traffic_log.h"
#include "io/socket.h"

namespace reef::edge {
namespace {

constexpr std::size_t kBacklogMax = 256 * 1024;
constexpr int kReadsPerTick = 16, kTriesMax = 3;
constexpr Duration kConnectTimeout = 10s;

std::uint64_t hash_of(std::string_view text) { return std::hash<std::string_view>{}(text) * 0x9E3779B97F4A7C15ull; }

}  // namespace

TcpConnection::TcpConnection(BalancerLoop& loop, std::shared_ptr<ListenerSlot> slot, int fd)
    : loop_(loop), slot_(std::move(slot)), listener_(slot_->now), client_(*this, fd), server_(*this, -1) {
  const std::string peer = io::peer_name(fd);
  const auto colon = peer.rfind(':');
  ip_ = peer.substr(0, colon);
  if (ip_.starts_with('[')) ip_ = ip_.substr(1, ip_.size() - 2);
  port_ = colon == std::string::npos ? 0 : static_cast<int>(parse_int<int>(std::string_view(peer).substr(colon + 1)).value_or(0));
  last_activity_ = loop_.now();
  if (listener_->tls && listener_->plan.access_log) {
    began_ = loop_.reactor().now();
    opened_ = io::monotonic_micros();
  }
  ++slot_->new_connections;
  ++slot_->active;
}

void TcpConnection::start() {
  if (listener_->tls) client_.transport.start_server_tls(*listener_->tls);
  else client_.is_open = true;
  client_.watched = true;
  loop_.reactor().watch(client_.transport.fd(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &client_);
  if (client_.is_open) choose();
}

void TcpConnection::resume() {
  pump(client_, server_);
  pump(server_, client_);
}

TcpConnection::~TcpConnection() { close(); }

void TcpConnection::choose() {
  const auto& groups = listener_->groups.back();
  const auto& forward = listener_->plan.actions.back().forward;
  if (groups.empty() || !forward) return close();
  std::size_t index = 0;
  if (groups.size() > 1) {
    // By weight, as for the application load balancer.
    std::uint64_t total = 0, point = loop_.random();
    for (const auto& group : forward->groups) total += static_cast<std::uint64_t>(group.weight);
    point = total ? point % total : 0;
    for (; index + 1 < groups.size() && point >= static_cast<std::uint64_t>(forward->groups[index].weight); ++index) point -= static_cast<std::uint64_t>(forward->groups[index].weight);
  }
  LoopGroup& group = *groups[index];
  group_ = group.settings;
  const auto& targets = group.targets->usable;
  if (!group_ || targets.empty()) return close();
  // A flow goes to one target; with stickiness all flows of a client do.
  if (tries_ == 0) hash_ = group_->stickiness == Stickiness::kSourceIp ? hash_of(ip_) : loop_.random();
  target_ = targets[(hash_ + static_cast<std::uint64_t>(tries_)) % targets.size()];
  ++tries_;
  target_->outstanding.fetch_add(1, std::memory_order_relaxed);
  counted_ = true;
  dial().detach();
}

Task<void> TcpConnection::dial() {
  dialling_ = true;
  // Addresses of the loopback can always be taken as one's own: the target sees the client's.
  const std::string source = group_->preserves_client_ip && ip_.starts_with("127.") ? ip_ : std::string();
  const auto fd = co_await loop_.dialer().dial(target_->ip, target_->port, group_->id, source);
  dialling_ = false;
  on_dialled(fd ? *fd : -1);
}

void TcpConnection::on_dialled(int fd) {
  if (closed_) {
    if (fd >= 0) ::close(fd);
    loop_.bury(*this);
    return;
  }
  if (fd < 0) {
    target_->outstanding.fetch_sub(1, std::memory_order_relaxed);
    counted_ = false;
    ++target_->sides[loop_.index()].counters.connection_errors;
    if (tries_ < kTriesMax) return choose();
    return close();
  }
  server_.transport.adopt(fd);
  server_.watched = true;
  loop_.reactor().watch(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, &server_);
}

void TcpConnection::on_ready(Side& side, std::uint32_t events) {
  if (closed_) return;
  last_activity_ = loop_.now();
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) side.can_read = true;
  if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) side.hung_up = true;
  if (!side.is_open) {
    if (&side == &server_ && !side.transport.is_tls()) {
      if (!(events & (EPOLLOUT | EPOLLERR | EPOLLHUP))) return;
      if (io::connect_error(side.transport.fd()) != 0) {
        loop_.reactor().unwatch(side.transport.fd(), &side);
        side.watched = false;
        side.can_read = side.hung_up = false;
        side.transport.close();
        return on_dialled(-1);
      }
      if (group_->proxy_protocol) write(side, proxy_header());
      if (group_->protocol == TargetProtocol::kTls) side.transport.start_client_tls(loop_.target_tls(), {});
      else side.is_open = true;
    }
    if (!side.is_open) {
      const long done = side.transport.handshake();
      if (done == io::kBroken) return close();
      if (done != 1) return;
      side.is_open = true;
      side.can_read = true;
      if (&side == &client_ && opened_ != 0) handshake_micros_ = io::monotonic_micros() - opened_;
      if (&side == &client_) return choose();
    }
  }
  flush(side);
  Side& other = &side == &client_ ? server_ : client_;
  pump(side, other);
  pump(other, side);
}

void TcpConnection::pump(Side& from, Side& to) {
  char* const scratch = proxy_scratch();
  for (int reads = 0; !closed_ && from.is_open && to.is_open && from.can_read && !from.read_ended && to.backlog() < kBacklogMax; ++reads) {
    if (reads == kReadsPerTick) return loop_.resume_later(*this);
    const long n = from.transport.read(scratch, kProxyScratchBytes);
    if (n == io::kWouldBlock) {
      from.can_read = false;
      break;
    }
    if (n == io::kBroken) return close();
    if (n == 0) {
      from.read_ended = true;
      break;
    }
    if (static_cast<std::size_t>(n) < kProxyScratchBytes && !from.transport.is_tls() && !from.hung_up) from.can_read = false;
    slot_->bytes += static_cast<std::uint64_t>(n);
    from.received += static_cast<std::uint64_t>(n);
    write(to, {scratch, static_cast<std::size_t>(n)});
  }
  if (closed_) return;
  // The end of one direction is passed on when everything before it has left.
  if (from.read_ended && to.is_open && to.backlog() == 0 && !std::exchange(to.write_ended, true)) to.transport.end();
  if (client_.read_ended && server_.read_ended && client_.backlog() == 0 && server_.backlog() == 0) close();
}

void TcpConnection::write(Side& side, std::string_view bytes) {
  while (side.backlog() == 0 && !bytes.empty()) {
    const long n = side.transport.write(bytes.data(), bytes.size());
    if (n == io::kBroken) return close();
    if (n == io::kWouldBlock) break;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  if (bytes.empty()) return;
  if (side.backlog() == 0) {
    side.pending.clear();
    side.pending_at = 0;
  }
  side.pending += bytes;
}

void TcpConnection::flush(Side& side) {
  while (!closed_ && side.is_open && side.backlog() > 0) {
    const long n = side.transport.write(side.pending.data() + side.pending_at, side.backlog());
    if (n == io::kWouldBlock) return;
    if (n == io::kBroken) return close();
    side.pending_at += static_cast<std::size_t>(n);
  }
  if (side.pending_at > 0) {
    side.pending = {};
    side.pending_at = 0;
  }
}

// https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt, version 2.
std::string TcpConnection::proxy_header() const {
  std::string out("\r\n\r\n\0\r\nQUIT\n", 12);
  unsigned char from[16], to[16];
  const bool is_v4 = ::inet_pton(AF_INET, ip_.c_str(), from) == 1 && ::inet_pton(AF_INET, listener_->plan.address.c_str(), to) == 1;
  out += static_cast<char>(0x21);   // version 2, PROXY
  if (!is_v4) return out + std::string("\0\0\0", 3);
  out += static_cast<char>(0x11);   // TCP over IPv4
  const auto add_16 = [&out](int value) {
    out += static_cast<char>(value >> 8 & 255);
    out += static_cast<char>(value & 255);
  };
  add_16(12);
  out.append(reinterpret_cast<const char*>(from), 4);
  out.append(reinterpret_cast<const char*>(to), 4);
  add_16(port_);
  add_16(listener_->plan.port);
  return out;
}

void TcpConnection::expire(std::int64_t now) {
  if (closed_) return;
  const std::int64_t idle = now - last_activity_;
  const bool connecting = !server_.is_open && idle > Duration(kConnectTimeout).count();
  if (connecting || idle > listener_->plan.idle_timeout.count()) close();
}

// Of TLS alone, as on AWS.
void TcpConnection::log() {
  const ListenerPlan& plan = listener_->plan;
  TlsEntry entry{.began = began_, .balancer = plan.label, .listener = plan.id.substr(plan.id.rfind('/') + 1), .client = io::peer_name(client_.transport.fd()),
                 .destination = plan.address + ":" + listener_->port_text, .took_micros = io::monotonic_micros() - opened_, .handshake_micros = handshake_micros_,
                 .received = client_.received, .sent = server_.received};
  if (entry.client.empty()) entry.client = ip_ + ":" + std::to_string(port_);
  entry.domain = client_.transport.server_name();
  if (handshake_micros_ >= 0) {
    entry.cipher = client_.transport.tls_cipher();
    entry.protocol = client_.transport.tls_version();
    if (const std::size_t chosen = client_.transport.certificate(); chosen < plan.certificates.size()) entry.certificate = plan.certificates[chosen];
  }
  plan.access_log->add(tls_line(entry, loop_.reactor().now()));
}

void TcpConnection::close() {
  if (closed_) return;
  closed_ = true;
  if (opened_ != 0) log();
  --slot_->active;
  if (std::exchange(counted_, false)) target_->outstanding.fetch_sub(1, std::memory_order_relaxed);
  loop_.dialer().closing(server_.transport.fd());
  for (Side* side : {&client_, &server_}) {
    if (std::exchange(side->watched, false)) loop_.reactor().unwatch(side->transport.fd(), side);
    side->transport.close();
  }
  if (!dialling_) loop_.bury(*this);   // else when the dial comes back
}

}  // namespace reef::edge
