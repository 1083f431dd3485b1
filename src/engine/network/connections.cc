#include "engine/network/connections.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "engine/store/shard.h"

namespace reef::network {
namespace {

std::uint64_t cookie_of(int fd) {
  std::uint64_t cookie = 0;
  socklen_t size = sizeof cookie;
  return ::getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &size) == 0 ? cookie : 0;
}

}  // namespace

Connections::Connections(std::size_t loops) {
  for (std::size_t i = 0; i < loops; ++i) loops_.push_back(std::make_unique<Loop>());
}

Connections::Loop& Connections::own() { return *loops_[store::Shard::current().index()]; }

void Connections::opened(int fd, Flow flow, bool faces_sender) {
  own().open.insert_or_assign(fd, Open{.flow = std::move(flow), .cookie = cookie_of(fd), .faces_sender = faces_sender, .reported = {}});
}

void Connections::closing(int fd) {
  auto& open = own().open;
  const auto found = open.find(fd);
  if (found == open.end()) return;
  report(fd, found->second, true);
  open.erase(found);
}

void Connections::report(int fd, Open& open, bool ended) {
  if (!report_) return;
  Traffic since;
  tcp_info info{};
  socklen_t size = sizeof info;
  if (cookie_of(fd) == open.cookie && ::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0) {
    Traffic all{.sent_bytes = info.tcpi_bytes_received, .sent_packets = info.tcpi_segs_in, .received_bytes = info.tcpi_bytes_acked, .received_packets = info.tcpi_segs_out};
    if (!open.faces_sender) all = {all.received_bytes, all.received_packets, all.sent_bytes, all.sent_packets};
    since = {all.sent_bytes - open.reported.sent_bytes, all.sent_packets - open.reported.sent_packets, all.received_bytes - open.reported.received_bytes,
             all.received_packets - open.reported.received_packets};
    open.reported = all;
  }
  report_(open.flow, since, ended);
}

void Connections::on_each_loop(const std::function<void(Loop&)>& visit) {
  for (std::size_t i = 0; i < loops_.size(); ++i) store::Shard::at(i).reactor().post([this, i, visit] { visit(*loops_[i]); });
}

void Connections::cut(std::function<bool(const Flow&)> is_cut) {
  on_each_loop([is_cut = std::move(is_cut)](Loop& loop) {
    std::erase_if(loop.open, [](const auto& one) { return cookie_of(one.first) != one.second.cookie; });
    for (const auto& [fd, open] : loop.open) {
      if (!is_cut(open.flow)) continue;
      // Reset rather than ended in order, by whoever owns it once it sees the end.
      const linger now{1, 0};
      ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
      ::shutdown(fd, SHUT_RDWR);
    }
  });
}

Task<void> Connections::report_all() {
  for (std::size_t i = 0; i < loops_.size(); ++i)
    co_await store::on(store::Shard::at(i), [this, i]() -> Task<void> {
      auto& open = loops_[i]->open;
      std::erase_if(open, [](const auto& one) { return cookie_of(one.first) != one.second.cookie; });
      for (auto& [fd, one] : open) report(fd, one, false);
      co_return;
    });
}

}  // namespace reef::network
