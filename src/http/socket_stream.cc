#include "http/socket_stream.h"

#include <sys/socket.h>

#include <utility>

#include "io/socket.h"

namespace reef::http {

SocketStream::SocketStream(io::Reactor& reactor, int fd) : reactor_(reactor), transport_(fd) {
  // Edge-triggered and registered once: a keep-alive request then costs no epoll_ctl.
  reactor_.watch(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, this);
}

SocketStream::~SocketStream() { close(); }

void SocketStream::close() {
  if (closed_) return;
  closed_ = true;
  reactor_.unwatch(transport_.fd(), this);
  transport_.close();
  if (reader_) reactor_.post([waiter = std::exchange(reader_, nullptr)] { waiter.resume(); });
  if (writer_) reactor_.post([waiter = std::exchange(writer_, nullptr)] { waiter.resume(); });
}

void SocketStream::on_ready(std::uint32_t events) {
  if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) && on_peer_closed) on_peer_closed();
  if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) can_read_ = true;
  if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) can_write_ = true;
  auto reader = can_read_ ? std::exchange(reader_, nullptr) : nullptr;
  auto writer = can_write_ ? std::exchange(writer_, nullptr) : nullptr;
  // Resuming either may destroy this object, so the second one goes through the loop.
  if (reader && writer) reactor_.post([writer] { writer.resume(); });
  if (reader) reader.resume();
  else if (writer) writer.resume();
}

void SocketStream::expire(std::int64_t now) {
  if ((reader_ && read_deadline_ && read_deadline_ <= now) || (writer_ && write_deadline_ && write_deadline_ <= now))
    close();
}

long SocketStream::read_now(char* out, std::size_t size) {
  if (closed_) return io::kBroken;
  if (!can_read_) return io::kWouldBlock;
  const long n = transport_.read(out, size);
  if (n == io::kWouldBlock) can_read_ = false;
  // A short read of a plain socket emptied it: the next edge will come, so the EAGAIN call is saved. TLS may
  // hold more decrypted bytes.
  else if (n > 0 && static_cast<std::size_t>(n) < size && !transport_.is_tls() && !hung_up_) can_read_ = false;
  return n;
}

Task<long> SocketStream::read(char* out, std::size_t size, std::int64_t deadline) {
  for (;;) {
    const long n = read_now(out, size);
    if (n != io::kWouldBlock) co_return n;
    if (!co_await Wait{*this, true, deadline}) co_return io::kBroken;
  }
}

Task<bool> SocketStream::readable(std::int64_t deadline) {
  co_return co_await Wait{*this, true, deadline};
}

long SocketStream::write_some(std::string_view bytes) {
  if (closed_) return io::kBroken;
  std::size_t done = 0;
  while (done < bytes.size()) {
    const long n = transport_.write(bytes.data() + done, bytes.size() - done);
    if (n == io::kBroken) return io::kBroken;
    if (n == io::kWouldBlock) {
      can_write_ = false;
      break;
    }
    done += static_cast<std::size_t>(n);
  }
  return static_cast<long>(done);
}

Task<bool> SocketStream::write(std::string_view bytes, Duration timeout) {
  for (;;) {
    const long n = write_some(bytes);
    if (n == io::kBroken) co_return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
    if (bytes.empty()) co_return true;
    if (!co_await Wait{*this, false, io::monotonic_micros() + timeout.count()}) co_return false;
  }
}

Task<bool> SocketStream::handshake(std::int64_t deadline) {
  for (;;) {
    if (closed_) co_return false;
    const long n = transport_.handshake();
    if (n == 1) {
      can_read_ = true;  // application data may have arrived together with the last handshake bytes
      co_return true;
    }
    if (n == io::kBroken) co_return false;
    can_read_ = false;
    if (!co_await Wait{*this, true, deadline}) co_return false;
  }
}

Task<int> SocketStream::connected(std::int64_t deadline) {
  if (!co_await Wait{*this, false, deadline}) co_return ETIMEDOUT;
  co_return io::connect_error(transport_.fd());
}

}  // namespace reef::http
