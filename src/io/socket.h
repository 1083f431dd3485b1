// File descriptors and non-blocking sockets.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace reef::io {

// Owns a descriptor.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Fd() { reset(); }
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release() { return std::exchange(fd_, -1); }
  void reset();

 private:
  int fd_ = -1;
};

// errno as a Failure: "bind 127.0.0.1:4566: Address already in use".
Failure last_error(std::string what);

// A non-blocking listening TCP socket. Port 0 takes a free one.
Result<Fd, Failure> listen_tcp(const std::string& address, int port, bool reuse_port);
// A non-blocking TCP socket that is connecting; ready when it becomes writable (then see `connect_error`).
// From `source`, when that is given and can be taken.
Result<Fd, Failure> connect_tcp(const std::string& address, int port, const std::string& source = {});
// 0, or the errno with which a connect in progress ended.
int connect_error(int fd);
// A non-blocking socket, or an empty Fd when none is waiting.
Fd accept_connection(int listener);
int local_port(int fd);
// "127.0.0.1:51234"; "" for other families.
std::string peer_name(int fd);
void set_no_delay(int fd);

}  // namespace reef::io
