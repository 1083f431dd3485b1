#include "engine/naming/probe.h"

#include <sys/epoll.h>

#include <cstring>

#include <fmt/format.h>

#include "base/text.h"
#include "io/socket.h"

namespace reef::naming {
namespace {

constexpr Duration kConnectMax = 4s, kTcpMax = 10s, kReplyMax = 2s, kBodyMax = 2s;
constexpr std::size_t kSearched = 5120, kReceivedMax = 64 << 10;

// Endpoints are checked for life, not for identity: Route 53 does not validate certificates either.
const io::TlsContext* tls_context() {
  static const auto context = io::TlsContext::unverified_client();
  return context ? context->get() : nullptr;
}

std::string_view reason_of(std::string_view status_line) {
  const auto space = status_line.find(' ', 9);
  return space == std::string_view::npos ? std::string_view{} : trim(status_line.substr(space));
}

}  // namespace

std::optional<ProbeResult> judge_http(std::string_view received, bool at_end, std::string_view search) {
  const auto line_end = received.find("\r\n");
  if (line_end == std::string_view::npos)
    return at_end || received.size() > 4096 ? std::optional(ProbeResult{false, "Failure: The endpoint closed the connection before an HTTP status line."}) : std::nullopt;
  const std::string_view line = received.substr(0, line_end);
  const auto status = line.starts_with("HTTP/") && line.size() >= 12 ? parse_int<int>(line.substr(9, 3)) : std::nullopt;
  if (!status) return ProbeResult{false, "Failure: The endpoint's answer is not HTTP."};
  const std::string text = fmt::format("HTTP Status Code {}, {}", *status, reason_of(line));
  if (*status < 200 || *status >= 400) return ProbeResult{false, "Failure: " + text};
  if (search.empty()) return ProbeResult{true, "Success: " + text};
  const auto head_end = received.find("\r\n\r\n");
  const std::string_view body = head_end == std::string_view::npos ? std::string_view{} : received.substr(head_end + 4, kSearched);
  if (body.find(search) != std::string_view::npos) return ProbeResult{true, "Success: " + text};
  if (at_end || body.size() >= kSearched) return ProbeResult{false, fmt::format("Failure: {}. The search string was not found in the first 5120 bytes of the body.", text)};
  return std::nullopt;
}

Probe::Probe(io::Reactor& reactor, ProbeTarget target, const Dial& dial, Done done) : reactor_(reactor), target_(std::move(target)), done_(std::move(done)) {
  set_deadline(target_.http ? kConnectMax : kTcpMax, "Connection timed out. The endpoint did not accept a connection in time.");
  if (dial) connect(dial).detach();
  else begin(io::connect_tcp(target_.address, target_.port));
}

Task<void> Probe::connect(Dial dial) {
  const auto alive = alive_;
  auto fd = co_await dial(target_.address, target_.port);
  io::Fd owned(fd ? *fd : -1);
  if (!*alive) co_return;
  if (fd) begin(std::move(owned));
  else begin(Err(fd.error()));
}

void Probe::begin(Result<io::Fd, Failure> fd) {
  if (!fd) {
    // Later, as promised: whoever makes a probe has it before it ends.
    reactor_.cancel(timer_);
    timer_ = reactor_.after(1us, [this, text = fd.error().message] { finish(false, "Failure: " + text); });
    return;
  }
  transport_ = std::make_unique<io::Transport>(fd->release());
  reactor_.watch(transport_->fd(), EPOLLIN | EPOLLOUT, this);
}

Probe::~Probe() {
  *alive_ = false;
  reactor_.cancel(timer_);
  if (transport_) reactor_.unwatch(transport_->fd(), this);
}

void Probe::set_deadline(Duration after, const char* what) {
  reactor_.cancel(timer_);
  timer_ = reactor_.after(after, [this, what] {
    timer_ = 0;
    finish(false, fmt::format("Failure: Resolved IP: {}. {}", target_.address, what));
  });
}

void Probe::finish(bool ok, std::string text) {
  if (finished_) return;
  finished_ = true;
  reactor_.cancel(timer_);
  if (transport_) reactor_.unwatch(transport_->fd(), this);
  transport_.reset();
  // The owner drops this probe in there.
  auto done = std::move(done_);
  done({ok, std::move(text)});
}

void Probe::on_ready(std::uint32_t) {
  if (!finished_) advance();
}

void Probe::advance() {
  if (step_ == Step::kConnect) {
    if (const int error = io::connect_error(transport_->fd()); error != 0)
      return finish(false, fmt::format("Failure: Resolved IP: {}. {}.", target_.address, std::strerror(error)));
    if (!target_.http) return finish(true, "Success: The TCP connection was established.");
    const std::string& host = target_.host.empty() ? target_.address : target_.host;
    out_ = fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: Amazon-Route53-Health-Check-Service (atoll)\r\nAccept: */*\r\nConnection: close\r\n\r\n", target_.path,
                       target_.port == (target_.tls ? 443 : 80) ? host : fmt::format("{}:{}", host, target_.port));
    step_ = Step::kSend;
    if (target_.tls) {
      if (!tls_context()) return finish(false, "Failure: TLS is not available.");
      transport_->start_client_tls(*tls_context(), target_.sni ? host : std::string());
      step_ = Step::kHandshake;
    }
    set_deadline(kReplyMax + (target_.tls ? kConnectMax : Duration{}), "The endpoint did not answer in time.");
  }
  if (step_ == Step::kHandshake) {
    const long done = transport_->handshake();
    if (done == io::kWouldBlock) return;
    if (done != 1) return finish(false, fmt::format("Failure: Resolved IP: {}. The TLS handshake failed.", target_.address));
    step_ = Step::kSend;
  }
  while (step_ == Step::kSend) {
    const long n = transport_->write(out_.data(), out_.size());
    if (n == io::kWouldBlock) return;
    if (n <= 0) return finish(false, "Failure: The endpoint closed the connection.");
    out_.erase(0, static_cast<std::size_t>(n));
    if (!out_.empty()) continue;
    step_ = Step::kReceive;
    reactor_.rewatch(transport_->fd(), EPOLLIN, this);
    set_deadline(kReplyMax + (target_.search.empty() ? Duration{} : kBodyMax), "The endpoint did not answer in time.");
  }
  receive();
}

void Probe::receive() {
  char buffer[4096];
  for (;;) {
    const long n = transport_->read(buffer, sizeof buffer);
    if (n == io::kWouldBlock) return;
    if (n > 0) in_.append(buffer, static_cast<std::size_t>(n));
    const bool at_end = n <= 0 || in_.size() > kReceivedMax;
    if (auto result = judge_http(in_, at_end, target_.search)) return finish(result->ok, std::move(result->text));
    if (at_end) return finish(false, "Failure: The endpoint closed the connection.");
  }
}

}  // namespace reef::naming
