// A bounded stream of bytes between two coroutines of one thread: the writer waits while the reader lags.
#pragma once

#include <memory>
#include <string>

#include "base/task.h"
#include "http/message.h"

namespace reef::function {

class Pipe {
 public:
  static constexpr std::size_t kBufferedMax = 256 * 1024;

  // False when nobody reads any more.
  Task<bool> write(std::string_view bytes);
  // No more bytes. `error_type` empty: the stream is complete.
  void finish(std::string error_type = {}, std::string error_body = {});

  // The next bytes, empty at the end.
  Task<std::string> read();
  void abandon();  // by the reader

  bool finished() const { return finished_; }
  const std::string& error_type() const { return error_type_; }
  const std::string& error_body() const { return error_body_; }
  std::string log_tail;  // valid after the end

 private:
  std::string buffer_;
  bool finished_ = false, abandoned_ = false;
  std::string error_type_, error_body_;
  Later<bool>* reader_ = nullptr;
  Later<bool>* writer_ = nullptr;
};

// What a reader got: bytes, or the end and how it came about.
struct PipePiece {
  std::string bytes;
  std::string error_type, error_body;
  std::string log_tail;
};

// The reading end, from any shard: pipes belong to the control shard.
class PipeReader {
 public:
  explicit PipeReader(std::shared_ptr<Pipe> pipe) : pipe_(std::move(pipe)) {}
  PipeReader(PipeReader&&) = default;
  ~PipeReader();
  Task<PipePiece> read();

 private:
  std::shared_ptr<Pipe> pipe_;
};

// The reading end as an HTTP body. A failed stream breaks the body off.
class PipeBody final : public http::Body {
 public:
  explicit PipeBody(PipeReader reader, std::string first = {}) : reader_(std::move(reader)), piece_(std::move(first)), has_first_(!piece_.empty()) {}
  Task<Result<std::string_view, Failure>> read() override;

 private:
  PipeReader reader_;
  std::string piece_;
  bool has_first_;
};

}  // namespace reef::function
