// UDP sockets, many datagrams to a system call.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "io/socket.h"

namespace reef::io {

// Where a datagram came from or goes to.
struct Peer {
  sockaddr_in6 address{};  // large enough for IPv4 too
  socklen_t size = 0;
  friend bool operator==(const Peer& a, const Peer& b) { return a.size == b.size && std::string_view(reinterpret_cast<const char*>(&a.address), a.size) == std::string_view(reinterpret_cast<const char*>(&b.address), b.size); }
};
// A numeric address.
std::optional<Peer> peer_of(const std::string& address, int port);

// A non-blocking UDP socket. Port 0 takes a free one; with `share`, every loop may bind one of its own to the port.
Result<Fd, Failure> bind_udp(const std::string& address, int port, bool share);
// One that may send to anybody of that family; bound by its first datagram.
Result<Fd, Failure> open_udp(int family);
// One that exchanges datagrams with that address alone.
Result<Fd, Failure> connect_udp(const std::string& address, int port);
bool send_datagram(int fd, const Peer& to, std::string_view bytes);
// Bytes received into `out`; nothing when none is waiting.
std::optional<std::size_t> receive_datagram(int fd, Peer& from, char* out, std::size_t size);

// Receives and answers up to kCount datagrams with one system call each. Buffers are its own.
class DatagramBatch {
 public:
  static constexpr int kCount = 64;
  static constexpr std::size_t kInSize = 1024, kOutSize = 1280;

  DatagramBatch();
  ~DatagramBatch();
  // How many came; 0 when none is waiting. Longer datagrams than kInSize are cut, and empty here.
  int receive(int fd);
  std::string_view datagram(int index) const;
  const Peer& peer(int index) const;
  char* reply_buffer();                // room for the next reply, kOutSize bytes
  void reply(int index, std::size_t size);  // queues what is in reply_buffer() for the sender of `index`
  void flush(int fd);                  // sends the queued; what the socket does not take is dropped, as UDP may

 private:
  struct Buffers;
  std::unique_ptr<Buffers> buffers_;
  int queued_ = 0;
};

}  // namespace reef::io
