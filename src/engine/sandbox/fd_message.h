// Messages that carry open descriptors over a SOCK_SEQPACKET socket.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace reef::sandbox {

inline constexpr std::size_t kMessageBytesMax = 192 * 1024;
inline constexpr std::size_t kMessageFdsMax = 16;

// 0, or errno. The descriptors stay open on this side.
int send_message(int socket, std::string_view bytes, std::span<const int> fds = {});

struct Received {
  std::string bytes;
  std::vector<int> fds;  // close-on-exec, owned by the caller
  int error = 0;         // errno; EPIPE when the other side is gone
};
Received receive_message(int socket, int flags = 0);

}  // namespace reef::sandbox
