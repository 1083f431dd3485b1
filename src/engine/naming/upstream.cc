#include "engine/naming/upstream.h"

#include <sys/epoll.h>

#include "base/text.h"
#include "io/tls.h"
#include "wire/dns.h"

namespace reef::naming {
namespace {

namespace dns = wire::dns;

constexpr std::size_t kPendingMax = 2048, kAttemptsMax = 4;
constexpr Duration kAttempt = 1500ms, kStreamMax = 5s;

}  // namespace

std::vector<std::string> parse_resolv_conf(std::string_view text) {
  std::vector<std::string> out;
  for (std::string_view line : split(text, '\n')) {
    line = trim(line.substr(0, line.find_first_of("#;")));
    if (!line.starts_with("nameserver")) continue;
    const std::string_view address = trim(line.substr(10));
    if (address.size() < line.size() - 10 && !address.empty()) out.emplace_back(address);
  }
  return out;
}

// One question over TCP.
class Upstream::Stream final : public io::FdHandler {
 public:
  Stream(Upstream& owner, std::uint16_t id, io::Fd fd, std::string_view query) : owner_(owner), id_(id), transport_(fd.release()) {
    char size[2];
    dns::put16(size, static_cast<std::uint16_t>(query.size()));
    out_.append(size, 2).append(query);
    owner_.reactor_.watch(transport_.fd(), EPOLLIN | EPOLLOUT, this);
  }
  ~Stream() override { owner_.reactor_.unwatch(transport_.fd(), this); }
  void on_ready(std::uint32_t) override {
    while (!out_.empty()) {
      const long n = transport_.write(out_.data(), out_.size());
      if (n == io::kWouldBlock) break;
      if (n <= 0) return owner_.finish(id_, {});
      out_.erase(0, static_cast<std::size_t>(n));
      if (out_.empty()) owner_.reactor_.rewatch(transport_.fd(), EPOLLIN, this);
    }
    char buffer[4096];
    for (;;) {
      const long n = transport_.read(buffer, sizeof buffer);
      if (n == io::kWouldBlock) return;
      if (n <= 0) return owner_.finish(id_, {});
      in_.append(buffer, static_cast<std::size_t>(n));
      if (in_.size() >= 2 && in_.size() >= 2u + dns::get16(in_.data())) return owner_.finish(id_, std::string(in_, 2, dns::get16(in_.data())));
    }
  }

 private:
  Upstream& owner_;
  std::uint16_t id_;
  io::Transport transport_;
  std::string in_, out_;
};

Upstream::Upstream(io::Reactor& reactor, std::vector<std::string> servers, int port) : reactor_(reactor), port_(port) { set_servers(std::move(servers)); }

void Upstream::set_servers(std::vector<std::string> servers) {
  servers_.clear();
  names_.clear();
  for (std::string& address : servers)
    if (const auto peer = io::peer_of(address, port_)) {
      servers_.push_back(*peer);
      names_.push_back(std::move(address));
    }
}

Upstream::~Upstream() {
  streams_.clear();
  for (auto& [id, pending] : pending_) reactor_.cancel(pending.timer);
  for (const io::Fd& socket : sockets_)
    if (socket) reactor_.unwatch(socket.get(), this);
}

void Upstream::ask(std::string_view query, bool whole, Done done) {
  if (servers_.empty() || pending_.size() >= kPendingMax || query.size() < dns::kHeaderSize) return done({});
  std::uint16_t id;
  do id = static_cast<std::uint16_t>(thread_random().next());
  while (pending_.contains(id));
  pending_.emplace(id, Pending{.query = std::string(query), .done = std::move(done), .attempt = 0, .timer = 0, .whole = whole});
  send(id);
}

void Upstream::send(std::uint16_t id) {
  if (servers_.empty()) return finish(id, {});
  Pending& pending = pending_.at(id);
  const io::Peer& server = servers_[pending.attempt % servers_.size()];
  const int family = reinterpret_cast<const sockaddr*>(&server.address)->sa_family;
  io::Fd& socket = sockets_[family == AF_INET6];
  if (!socket) {
    if (auto opened = io::open_udp(family)) {
      socket = *std::move(opened);
      reactor_.watch(socket.get(), EPOLLIN, this);
    }
  }
  std::string packet = pending.query;
  dns::put16(packet.data(), id);
  if (socket) io::send_datagram(socket.get(), server, packet);
  pending.timer = reactor_.after(kAttempt, [this, id] { expire(id); });
}

void Upstream::expire(std::uint16_t id) {
  const auto found = pending_.find(id);
  if (found == pending_.end()) return;
  found->second.timer = 0;
  if (++found->second.attempt >= std::min(kAttemptsMax, 2 * servers_.size())) return finish(id, {});
  send(id);
}

void Upstream::finish(std::uint16_t id, std::string_view reply) {
  const auto found = pending_.find(id);
  if (found == pending_.end()) return;
  Pending pending = std::move(found->second);
  pending_.erase(found);
  reactor_.cancel(pending.timer);
  std::string text(reply);
  if (text.size() >= dns::kHeaderSize) dns::put16(text.data(), dns::get16(pending.query.data()));
  // A stream may be what called: it goes at the loop's next turn.
  if (auto stream = streams_.extract(id)) reactor_.post([gone = std::move(stream.mapped())] {});
  pending.done(text);
}

void Upstream::on_ready(std::uint32_t) {
  char buffer[4096];
  for (const io::Fd& socket : sockets_) {
    if (!socket) continue;
    io::Peer from;
    while (const auto size = io::receive_datagram(socket.get(), from, buffer, sizeof buffer)) {
      if (*size < dns::kHeaderSize) continue;
      const std::uint16_t id = dns::get16(buffer);
      const auto found = pending_.find(id);
      // Only the server that was asked may answer, and only this question.
      if (found == pending_.end() || servers_.empty() || !(from == servers_[found->second.attempt % servers_.size()])) continue;
      const std::string_view reply(buffer, *size);
      const std::string& query = found->second.query;
      dns::Query asked;
      if (dns::parse_query(query, asked) != dns::kNoError || !(dns::get16(buffer + 2) & dns::kQr) ||
          !equals_ignoring_case(reply.substr(dns::kHeaderSize, asked.question.size()), asked.question))
        continue;
      if (!(dns::get16(buffer + 2) & dns::kTc) || !found->second.whole) {
        finish(id, reply);
        continue;
      }
      reactor_.cancel(found->second.timer);
      found->second.timer = reactor_.after(kStreamMax, [this, id] { finish(id, {}); });
      auto fd = io::connect_tcp(names_[found->second.attempt % servers_.size()], port_);
      if (!fd) finish(id, {});
      else streams_[id] = std::make_unique<Stream>(*this, id, *std::move(fd), query);
    }
  }
}

}  // namespace reef::naming
