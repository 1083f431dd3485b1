// A request's body, read whole so that several can look at it, and given again to whoever reads the request's next. The
// request has its own body back when this ends, so this must not outlive it.
#pragma once

#include <memory>
#include <string>
#include <utility>

#include "base/task.h"
#include "http/message.h"

namespace reef::http {

class ReplayedBody {
 public:
  ReplayedBody() = default;
  ReplayedBody(const ReplayedBody&) = delete;
  ReplayedBody& operator=(const ReplayedBody&) = delete;
  ~ReplayedBody() {
    if (request_) request_->body = original_;
  }

  // Once; later calls change nothing. Fails as read_all does.
  Task<Result<void, Failure>> read(Request& request, std::uint64_t bytes_max) {
    if (request_) co_return Result<void, Failure>();
    auto bytes = co_await read_all(*request.body, bytes_max);
    if (!bytes) co_return std::unexpected(std::move(bytes).error());
    text_ = *std::move(bytes);
    replayed_ = make_body(text_);
    request_ = &request;
    original_ = std::exchange(request.body, replayed_.get());
    co_return Result<void, Failure>();
  }
  bool is_read() const { return request_ != nullptr; }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::unique_ptr<Body> replayed_;
  Request* request_ = nullptr;
  Body* original_ = nullptr;
};

}  // namespace reef::http
