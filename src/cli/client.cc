#include "cli/client.h"

#include <cerrno>
#include <cstdio>

#include "http/client.h"
#include "io/reactor.h"

namespace reef::cli {
namespace {

Task<Result<HttpReply, Failure>> exchange(http::Client& client, http::Outgoing request) {
  auto reply = CO_TRY(co_await client.send(std::move(request)));
  auto body = CO_TRY(co_await http::read_all(*reply.stream, 256u << 20));
  co_return HttpReply{reply.status, std::move(body)};
}

}  // namespace

Result<HttpReply, Failure> send(const Target& target, std::string method, std::string path, std::string body, std::string content_type) {
  static io::SystemClock clock;
  static io::Reactor reactor(clock);
  static http::Client client(reactor);
  http::Outgoing request;
  request.method = std::move(method);
  request.host = "127.0.0.1";
  request.port = target.port;
  request.target = std::move(path);
  request.headers.emplace_back("content-type", std::move(content_type));
  request.body = std::move(body);
  request.timeout = 120s;
  auto task = exchange(client, std::move(request));
  while (!task.done()) reactor.run_once(1s);
  return std::move(task).take();
}

Result<wire::Json, CallError> call(const Target& target, std::string_view service, std::string_view operation, wire::Json input) {
  const wire::Json order = wire::Json::object({{"service", service}, {"operation", operation}, {"region", target.region}, {"input", std::move(input)}});
  const auto reply = send(target, "POST", "/_atoll/call", order.dump());
  if (!reply) {
    const std::string where = "http://localhost:" + std::to_string(target.port);
    return Err(CallError{"", reply.error().code == ECONNREFUSED ? "nothing answers at " + where + ": start it with `atoll start`"
                                                                : where + ": " + reply.error().message});
  }
  auto json = wire::Json::parse(reply->body);
  if (!json) return Err(CallError{"", "the daemon's answer makes no sense"});
  if (reply->status >= 300) return Err(CallError{json->text("code"), json->text("message")});
  return *std::move(json);
}

int complain(const CallError& error) {
  std::fprintf(stderr, "atoll: %s%s%s\n", error.code.c_str(), error.code.empty() ? "" : ": ", error.message.c_str());
  return 1;
}

}  // namespace reef::cli
