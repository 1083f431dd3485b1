#include "engine/image/docker_engine.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include <fmt/format.h>

#include "io/socket.h"

namespace reef::image {
namespace {

constexpr const char* kUsual = "/var/run/docker.sock";
constexpr timeval kPatience{60, 0};  // between two pieces: large layers take their time
constexpr std::size_t kHeadMax = 64 << 10;

Result<void, Failure> write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::write(fd, bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return Err(io::last_error("write"));
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return {};
}

// 0 at the end.
Result<std::size_t, Failure> read_some(int fd, char* into, std::size_t size) {
  for (;;) {
    const ssize_t got = ::read(fd, into, size);
    if (got >= 0) return static_cast<std::size_t>(got);
    if (errno != EINTR) return Err(io::last_error("read from the Docker engine"));
  }
}

}  // namespace

std::string docker_socket() {
  constexpr std::string_view kUnix = "unix://";
  const char* host = std::getenv("DOCKER_HOST");
  std::string path = kUsual;
  if (host && *host) path = std::string_view(host).starts_with(kUnix) ? std::string(host).substr(kUnix.size()) : std::string();
  return !path.empty() && ::access(path.c_str(), R_OK | W_OK) == 0 ? path : std::string();
}

Result<void, Failure> save_from_docker(const std::string& socket, const std::string& name, const std::string& into) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (socket.size() >= sizeof(address.sun_path)) return Err(Failure{"the path of the Docker engine's socket is too long", ENAMETOOLONG});
  std::memcpy(address.sun_path, socket.c_str(), socket.size());
  const io::Fd engine(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!engine || ::connect(engine.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) < 0) return Err(io::last_error("connect to the Docker engine"));
  ::setsockopt(engine.get(), SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof(kPatience));
  // HTTP/1.0: the body ends with the connection.
  TRY(write_all(engine.get(), fmt::format("GET /images/{}/get HTTP/1.0\r\nHost: docker\r\n\r\n", name)));
  std::string head;
  char buffer[65536];
  while (head.find("\r\n\r\n") == std::string::npos) {
    const std::size_t size = TRY(read_some(engine.get(), buffer, sizeof(buffer)));
    if (size == 0 || head.size() > kHeadMax) return Err(Failure{"the Docker engine did not answer", EPROTO});
    head.append(buffer, size);
  }
  const std::string_view status = std::string_view(head).substr(std::min(head.size(), head.find(' ') + 1), 3);
  if (status == "404") return Err(Failure{"the Docker engine has no image " + name, ENOENT});
  if (status != "200") return Err(Failure{fmt::format("the Docker engine answered {}", status), EPROTO});
  const io::Fd file(::open(into.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file) return Err(io::last_error("open " + into));
  TRY(write_all(file.get(), std::string_view(head).substr(head.find("\r\n\r\n") + 4)));
  for (;;) {
    const std::size_t size = TRY(read_some(engine.get(), buffer, sizeof(buffer)));
    if (size == 0) return {};
    TRY(write_all(file.get(), {buffer, size}));
  }
}

}  // namespace reef::image
