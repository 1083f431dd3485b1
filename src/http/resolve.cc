#include "http/resolve.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>

#include <fmt/format.h>

#include "base/text.h"
#include "io/pool.h"

namespace reef::http {
namespace {

bool is_numeric(const std::string& host) {
  unsigned char buffer[16];
  return ::inet_pton(AF_INET, host.c_str(), buffer) == 1 || ::inet_pton(AF_INET6, host.c_str(), buffer) == 1;
}

Result<std::string, Failure> look_up(const std::string& host) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found); error != 0)
    return Err(Failure{fmt::format("cannot resolve '{}': {}", host, ::gai_strerror(error)), ENOENT});
  char text[NI_MAXHOST] = {};
  ::getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST);
  ::freeaddrinfo(found);
  return std::string(text);
}

}  // namespace

Task<Result<std::string, Failure>> resolve(io::Reactor&, std::string host) {
  if (is_numeric(host)) co_return host;
  if (host == "localhost" || host.ends_with(".localhost")) co_return std::string("127.0.0.1");
  // Never destroyed: the end of the process does not wait for a name server that does not answer.
  static io::Pool& pool = *new io::Pool("resolve", 4, 256);
  auto answer = co_await pool.run([host] { return look_up(host); });
  if (!answer) co_return Err(Failure{"too many name look-ups at once", EAGAIN});
  co_return *std::move(answer);
}

}  // namespace reef::http
