// What the mesh's tests and benchmark run in containers: a server that says who it is, and a client.
//   probe serve                        GET /version, /headers, /fail, /slow; PORT, VERSION, FAIL (a status for all but /version)
//   probe get URL [name:value ...]     one request; prints {"status": 200, "body": "..."}
//   probe many COUNT URL               that many requests; prints a line "status version" for each
//   probe tcp HOST PORT                sends "ping", prints what comes back until the end
//   probe echo                         a TCP server that sends back what it gets, with VERSION before it
//   probe bench COUNT HOST PORT        keep-alive requests on one connection; prints the median in nanoseconds
//   probe load CONNECTIONS SECONDS HOST PORT   as many requests as can be on so many keep-alive connections; prints how many a second
//   probe relay HOST PORT              a TCP server that passes everything on to another
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "http.h"

namespace {

using service1::Message;

volatile bool stopping = false;

std::string variable(const char* name, const char* otherwise = "") {
  const char* value = std::getenv(name);
  return value ? value : otherwise;
}

Message answer(const Message& request) {
  const std::string version = variable("VERSION", "1");
  Message out{.status = 200, .headers = {{"content-type", "text/plain"}, {"x-version", version}}, .body = version};
  const std::string path = request.target.substr(0, request.target.find('?'));
  if (path == "/version") return out;
  if (const std::string fail = variable("FAIL"); !fail.empty()) out.status = std::atoi(fail.c_str());
  if (path == "/fail") out.status = 503;
  if (path == "/slow") std::this_thread::sleep_for(std::chrono::seconds(3));
  if (path == "/headers") {
    out.body.clear();
    for (const auto& [name, value] : request.headers) out.body += name + ": " + value + "\n";
  }
  if (path == "/echo") out.body = request.body;
  return out;
}

int connect_to(const char* host, const char* port) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_STREAM;
  if (getaddrinfo(host, port, &hints, &found) != 0) return -1;
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const int failed = connect(fd, found->ai_addr, found->ai_addrlen);
  freeaddrinfo(found);
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return failed ? -1 : fd;
}

int get(std::string url, const std::vector<std::string>& headers, bool brief) {
  if (url.starts_with("http://")) url.erase(0, 7);
  const auto slash = url.find('/');
  const std::string authority = url.substr(0, slash), target = slash == std::string::npos ? "/" : url.substr(slash);
  const auto colon = authority.find(':');
  Message message{.method = "GET", .target = target, .headers = {{"host", authority}}};
  for (const std::string& one : headers) message.headers[one.substr(0, one.find(':'))] = one.substr(one.find(':') + 1);
  const auto reply = service1::request(authority.substr(0, colon), colon == std::string::npos ? 80 : std::atoi(authority.c_str() + colon + 1), message);
  if (brief) return std::printf("%d %s\n", reply ? reply->status : 0, reply && reply->headers.contains("x-version") ? reply->headers.at("x-version").c_str() : "-"), 0;
  if (!reply) return std::printf("{\"status\": 0, \"body\": \"\"}\n"), 0;
  std::string body;
  for (const char c : reply->body)
    if (c == '\n') body += "\\n";
    else if (c == '"' || c == '\\') (body += '\\') += c;
    else body += c;
  return std::printf("{\"status\": %d, \"body\": \"%s\"}\n", reply->status, body.c_str()), 0;
}

int tcp(const char* host, const char* port) {
  const int fd = connect_to(host, port);
  if (fd < 0) return std::printf("refused\n"), 0;
  if (write(fd, "ping", 4) != 4) return std::printf("refused\n"), 0;
  shutdown(fd, SHUT_WR);
  char buffer[256];
  std::string all;
  for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) > 0;) all.append(buffer, static_cast<std::size_t>(n));
  return std::printf("%s\n", all.empty() ? "refused" : all.c_str()), 0;
}

int listen_on(int port) {
  const int listener = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(static_cast<std::uint16_t>(port));
  if (bind(listener, reinterpret_cast<sockaddr*>(&at), sizeof at) != 0 || listen(listener, 64) != 0) return -1;
  return listener;
}

int echo(int port) {
  const int listener = listen_on(port);
  if (listener < 0) return 1;
  for (;;) {
    const int fd = accept(listener, nullptr, nullptr);
    if (fd < 0) continue;
    std::thread([fd] {
      const std::string version = variable("VERSION", "1") + " ";
      char buffer[4096];
      bool first = true;
      for (ssize_t n; (n = read(fd, buffer, sizeof buffer)) > 0; first = false) {
        if (first) (void)!write(fd, version.data(), version.size());
        if (write(fd, buffer, static_cast<std::size_t>(n)) != n) break;
      }
      close(fd);
    }).detach();
  }
}

// One request and its reply; false when the connection broke.
bool exchange(int fd, const std::string& request) {
  char buffer[4096];
  if (write(fd, request.data(), request.size()) < 0) return false;
  std::string all;
  // The body is VERSION: it is there when there is anything after the head.
  for (std::size_t end = std::string::npos; end == std::string::npos || all.size() <= end + 4; end = all.find("\r\n\r\n")) {
    const ssize_t n = read(fd, buffer, sizeof buffer);
    if (n <= 0) return false;
    all.append(buffer, static_cast<std::size_t>(n));
  }
  return true;
}

int bench(int count, const char* host, const char* port) {
  const int fd = connect_to(host, port);
  if (fd < 0) return std::printf("refused\n"), 1;
  const std::string request = "GET /version HTTP/1.1\r\nhost: " + std::string(host) + "\r\n\r\n";
  std::vector<long> took;
  for (int i = 0; i < count; ++i) {
    const auto began = std::chrono::steady_clock::now();
    if (!exchange(fd, request)) return std::printf("broken\n"), 1;
    took.push_back((std::chrono::steady_clock::now() - began).count());
  }
  std::nth_element(took.begin(), took.begin() + count / 2, took.end());
  return std::printf("%ld\n", took[static_cast<std::size_t>(count / 2)]), 0;
}

int load(int connections, int seconds, const char* host, const char* port) {
  const std::string request = "GET /version HTTP/1.1\r\nhost: " + std::string(host) + "\r\n\r\n";
  std::atomic<long> count = 0, broken = 0;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  std::vector<std::thread> threads;
  for (int i = 0; i < connections; ++i)
    threads.emplace_back([&] {
      const int fd = connect_to(host, port);
      while (fd >= 0 && std::chrono::steady_clock::now() < end && exchange(fd, request)) ++count;
      if (std::chrono::steady_clock::now() < end) ++broken;
    });
  for (std::thread& one : threads) one.join();
  return std::printf("%ld %ld\n", count / seconds, broken.load()), 0;
}

int relay(int port, const char* host, const char* to) {
  const int listener = listen_on(port);
  if (listener < 0) return 1;
  for (;;) {
    const int from = accept(listener, nullptr, nullptr);
    if (from < 0) continue;
    std::thread([from, host, to] {
      const int there = connect_to(host, to);
      if (there < 0) return void(close(from));
      const auto pass = [](int a, int b) {
        char buffer[65536];
        for (ssize_t n; (n = read(a, buffer, sizeof buffer)) > 0;)
          for (ssize_t at = 0, w; at < n; at += w)
            if ((w = write(b, buffer + at, static_cast<std::size_t>(n - at))) <= 0) return void(shutdown(a, SHUT_RD));
        shutdown(b, SHUT_WR);
      };
      std::thread back(pass, there, from);
      pass(from, there);
      back.join();
      close(there);
      close(from);
    }).detach();
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const int port = std::atoi(variable("PORT", "8080").c_str());
  if (words.size() >= 2 && words[0] == "get") return get(words[1], {words.begin() + 2, words.end()}, false);
  if (words.size() == 3 && words[0] == "many") {
    for (int i = std::atoi(words[1].c_str()); i > 0; --i) get(words[2], {}, true);
    return 0;
  }
  if (words.size() == 3 && words[0] == "tcp") return tcp(argv[2], argv[3]);
  if (words.size() == 4 && words[0] == "bench") return bench(std::atoi(argv[2]), argv[3], argv[4]);
  if (words.size() == 5 && words[0] == "load") return load(std::atoi(argv[2]), std::atoi(argv[3]), argv[4], argv[5]);
  if (words.size() == 1 && words[0] == "echo") return echo(port);
  if (words.size() == 3 && words[0] == "relay") return relay(port, argv[2], argv[3]);
  return service1::serve(port, answer, stopping);
}
