#include "io/datagrams.h"

#include <arpa/inet.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace reef::io {

std::optional<Peer> peer_of(const std::string& address, int port) {
  Peer out;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&out.address);
  if (::inet_pton(AF_INET, address.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(static_cast<std::uint16_t>(port));
    out.size = sizeof *v4;
    return out;
  }
  if (::inet_pton(AF_INET6, address.c_str(), &out.address.sin6_addr) == 1) {
    out.address.sin6_family = AF_INET6;
    out.address.sin6_port = htons(static_cast<std::uint16_t>(port));
    out.size = sizeof out.address;
    return out;
  }
  return std::nullopt;
}

Result<Fd, Failure> open_udp(int family) {
  Fd fd(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return Err(last_error("socket"));
  return fd;
}

Result<Fd, Failure> bind_udp(const std::string& address, int port, bool share) {
  const auto at = peer_of(address, port);
  if (!at) return Err(Failure{fmt::format("'{}' is not a numeric address", address), EINVAL});
  Fd fd = TRY(open_udp(reinterpret_cast<const sockaddr*>(&at->address)->sa_family));
  const int on = 1, buffer = 4 << 20;
  if (share) ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  ::setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&at->address), at->size) != 0) return Err(last_error(fmt::format("bind {}:{} (UDP)", address, port)));
  return fd;
}

Result<Fd, Failure> connect_udp(const std::string& address, int port) {
  const auto peer = peer_of(address, port);
  if (!peer) return Err(Failure{"'" + address + "' is not a numeric address", EINVAL});
  Fd fd = TRY(open_udp(peer->address.sin6_family));
  if (::connect(fd.get(), reinterpret_cast<const sockaddr*>(&peer->address), peer->size) != 0) return Err(last_error("connect to " + address));
  return fd;
}

bool send_datagram(int fd, const Peer& to, std::string_view bytes) {
  return ::sendto(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL, reinterpret_cast<const sockaddr*>(&to.address), to.size) == static_cast<ssize_t>(bytes.size());
}

std::optional<std::size_t> receive_datagram(int fd, Peer& from, char* out, std::size_t size) {
  from.size = sizeof from.address;
  const ssize_t n = ::recvfrom(fd, out, size, 0, reinterpret_cast<sockaddr*>(&from.address), &from.size);
  if (n < 0) return std::nullopt;
  return static_cast<std::size_t>(n);
}

struct DatagramBatch::Buffers {
  mmsghdr in[kCount], out[kCount];
  iovec in_pieces[kCount], out_pieces[kCount];
  Peer peers[kCount];
  char in_bytes[kCount][kInSize];
  char out_bytes[kCount][kOutSize];
};

DatagramBatch::DatagramBatch() : buffers_(new Buffers) {
  Buffers& b = *buffers_;
  std::memset(b.in, 0, sizeof b.in);
  std::memset(b.out, 0, sizeof b.out);
  for (int i = 0; i < kCount; ++i) {
    b.in_pieces[i] = {b.in_bytes[i], kInSize};
    b.out_pieces[i] = {b.out_bytes[i], 0};
    b.in[i].msg_hdr.msg_name = &b.peers[i].address;
    b.in[i].msg_hdr.msg_iov = &b.in_pieces[i];
    b.in[i].msg_hdr.msg_iovlen = 1;
    b.out[i].msg_hdr.msg_iov = &b.out_pieces[i];
    b.out[i].msg_hdr.msg_iovlen = 1;
  }
}

DatagramBatch::~DatagramBatch() = default;

int DatagramBatch::receive(int fd) {
  Buffers& b = *buffers_;
  for (int i = 0; i < kCount; ++i) b.in[i].msg_hdr.msg_namelen = sizeof b.peers[i].address;
  queued_ = 0;
  const int n = ::recvmmsg(fd, b.in, kCount, MSG_DONTWAIT, nullptr);
  return n < 0 ? 0 : n;
}

std::string_view DatagramBatch::datagram(int index) const {
  const mmsghdr& one = buffers_->in[index];
  return one.msg_hdr.msg_flags & MSG_TRUNC ? std::string_view{} : std::string_view(buffers_->in_bytes[index], one.msg_len);
}

const Peer& DatagramBatch::peer(int index) const {
  buffers_->peers[index].size = buffers_->in[index].msg_hdr.msg_namelen;
  return buffers_->peers[index];
}

char* DatagramBatch::reply_buffer() { return buffers_->out_bytes[queued_]; }

void DatagramBatch::reply(int index, std::size_t size) {
  Buffers& b = *buffers_;
  b.out_pieces[queued_].iov_len = size;
  b.out[queued_].msg_hdr.msg_name = &b.peers[index].address;
  b.out[queued_].msg_hdr.msg_namelen = b.in[index].msg_hdr.msg_namelen;
  ++queued_;
}

void DatagramBatch::flush(int fd) {
  for (int sent = 0; sent < queued_;) {
    const int n = ::sendmmsg(fd, buffers_->out + sent, static_cast<unsigned>(queued_ - sent), MSG_NOSIGNAL);
    if (n <= 0) {
      if (errno == EINTR) continue;
      ++sent;  // the first one cannot be sent: the others may
      continue;
    }
    sent += n;
  }
  queued_ = 0;
}

}  // namespace reef::io
