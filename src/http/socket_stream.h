// A connected socket for coroutines: read and write that wait for readiness, with a deadline. One reader and one
// writer at a time. Idle sockets hold no buffer; `close` may be called from anywhere on the loop's thread and
// makes whoever waits fail.
#pragma once

#include <sys/epoll.h>

#include <coroutine>
#include <functional>
#include <string>
#include <string_view>

#include "base/task.h"
#include "base/time.h"
#include "io/reactor.h"
#include "io/tls.h"

namespace reef::http {

class SocketStream final : public io::FdHandler {
 public:
  // Takes ownership of `fd`, which must be non-blocking.
  SocketStream(io::Reactor& reactor, int fd);
  ~SocketStream() override;

  io::Transport& transport() { return transport_; }

  // Bytes read into `out`, 0 at the peer's end, io::kBroken on error, close() or when `deadline` (monotonic
  // microseconds; 0 is none) passed.
  Task<long> read(char* out, std::size_t size, std::int64_t deadline);
  // True when everything was written. Waits at most `timeout` between two pieces that the peer takes.
  Task<bool> write(std::string_view bytes, Duration timeout);
  // Tries without waiting: how many bytes were taken, or io::kBroken.
  long write_some(std::string_view bytes);
  // Ready-made reads: kWouldBlock when nothing is there.
  long read_now(char* out, std::size_t size);
  Task<bool> handshake(std::int64_t deadline);
  // For a socket that is connecting: 0, or an errno.
  Task<int> connected(std::int64_t deadline);
  // Waits until there is something to read; false on error or deadline.
  Task<bool> readable(std::int64_t deadline);

  // Bytes may be there although no event will say so: decrypted, or left by an earlier owner of the socket.
  void assume_readable() { can_read_ = true; }
  void close();
  bool is_closed() const { return closed_; }
  // Fails whoever has waited beyond its deadline. The owner calls it about once a second.
  void expire(std::int64_t now);
  // Called when the peer closes its side or the connection breaks.
  std::function<void()> on_peer_closed;
  bool is_waiting_to_read() const { return reader_ != nullptr; }

  void on_ready(std::uint32_t events) override;

 private:
  struct Wait {
    SocketStream& stream;
    bool for_read;
    std::int64_t deadline;
    bool await_ready() const { return stream.closed_ || (for_read ? stream.can_read_ : stream.can_write_); }
    void await_suspend(std::coroutine_handle<> waiter) {
      (for_read ? stream.reader_ : stream.writer_) = waiter;
      (for_read ? stream.read_deadline_ : stream.write_deadline_) = deadline;
    }
    // False when closed or late.
    bool await_resume() const { return !stream.closed_; }
  };

  io::Reactor& reactor_;
  io::Transport transport_;
  std::coroutine_handle<> reader_, writer_;
  std::int64_t read_deadline_ = 0, write_deadline_ = 0;
  bool can_read_ = false, can_write_ = false, closed_ = false, hung_up_ = false;
};

}  // namespace reef::http
