// Prices an order: {"item": "lamp", "quantity": 12} -> {"cents": 12960}. A function on a custom runtime: it speaks the
// Lambda Runtime API over a plain socket and needs nothing but the standard library.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cctype>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>

namespace {

// A kept-alive HTTP/1.1 connection to the Runtime API.
class RuntimeApi {
 public:
  explicit RuntimeApi(const std::string& address) : address_(address) {
    const auto colon = address.rfind(':');
    const std::string host = address.substr(0, colon), port = colon == std::string::npos ? "80" : address.substr(colon + 1);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<unsigned short>(std::atoi(port.c_str())));
    fd_ = ::socket(AF_INET, SOCK_STREAM, 0);
    if (::inet_pton(AF_INET, host.c_str(), &to.sin_addr) != 1 || ::connect(fd_, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0)
      throw std::runtime_error("cannot reach the runtime API at " + address);
    const int on = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }

  struct Reply {
    std::string request_id, body;
  };

  Reply next() { return exchange("GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: " + address_ + "\r\n\r\n"); }
  void respond(const std::string& request_id, const std::string& kind, const std::string& body) {
    exchange("POST /2018-06-01/runtime/invocation/" + request_id + "/" + kind + " HTTP/1.1\r\nHost: " + address_ +
             "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
  }

 private:
  Reply exchange(const std::string& request) {
    for (std::size_t sent = 0; sent < request.size();) {
      const auto n = ::send(fd_, request.data() + sent, request.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) throw std::runtime_error("the runtime API went away");
      sent += static_cast<std::size_t>(n);
    }
    std::size_t end;
    while ((end = buffer_.find("\r\n\r\n")) == std::string::npos) read_more();
    std::string head = buffer_.substr(0, end + 2);
    for (char& c : head) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const std::size_t size = static_cast<std::size_t>(std::atoll(header(head, "content-length").c_str()));
    buffer_.erase(0, end + 4);
    while (buffer_.size() < size) read_more();
    Reply reply{header(head, "lambda-runtime-aws-request-id"), buffer_.substr(0, size)};
    buffer_.erase(0, size);
    return reply;
  }
  void read_more() {
    char bytes[16 * 1024];
    const auto n = ::recv(fd_, bytes, sizeof bytes, 0);
    if (n <= 0) throw std::runtime_error("the runtime API went away");
    buffer_.append(bytes, static_cast<std::size_t>(n));
  }
  static std::string header(const std::string& head, const std::string& name) {
    const auto at = head.find("\r\n" + name + ":");
    if (at == std::string::npos) return {};
    const auto from = head.find_first_not_of(' ', at + name.size() + 3);
    return head.substr(from, head.find("\r\n", from) - from);
  }

  std::string address_, buffer_;
  int fd_ = -1;
};

// The value of a member in a flat JSON object, as text; enough for this function's own input.
std::string member(const std::string& json, const std::string& name) {
  auto at = json.find("\"" + name + "\"");
  if (at == std::string::npos || (at = json.find(':', at)) == std::string::npos) throw std::invalid_argument(name + " is missing");
  at = json.find_first_not_of(" \t\r\n\"", at + 1);
  return json.substr(at, json.find_first_of(",}\"", at) - at);
}

std::string price(const std::string& event) {
  const std::string item = member(event, "item");
  const long quantity = std::atol(member(event, "quantity").c_str());
  if (quantity < 1) throw std::invalid_argument("quantity must be 1 or more");
  const char* percent = std::getenv("BULK_DISCOUNT_PERCENT");
  const long discount = quantity >= 10 && percent ? std::atol(percent) : 0;
  const long each = 1000 + 50 * static_cast<long>(item.size());
  return "{\"cents\": " + std::to_string(each * quantity * (100 - discount) / 100) + "}";
}

}  // namespace

int main() {
  const char* address = std::getenv("AWS_LAMBDA_RUNTIME_API");
  if (!address) {
    std::fputs("AWS_LAMBDA_RUNTIME_API is not set: this runs as a Lambda function\n", stderr);
    return 1;
  }
  try {
    RuntimeApi api(address);
    for (;;) {
      const RuntimeApi::Reply event = api.next();
      try {
        api.respond(event.request_id, "response", price(event.body));
      } catch (const std::invalid_argument& error) {
        api.respond(event.request_id, "error", std::string("{\"errorType\": \"InvalidOrder\", \"errorMessage\": \"") + error.what() + "\"}");
      }
    }
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
