// HTTP messages as handlers see them, the same for HTTP/1.1 and HTTP/2.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/task.h"
#include "base/text.h"
#include "base/time.h"

namespace reef::http {

struct HeaderView {
  std::string_view name, value;
};

// A body that is pulled piece by piece: nothing is read from the peer before it is asked for, which is the
// back-pressure. One read at a time.
class Body {
 public:
  virtual ~Body() = default;
  // The next piece, empty at the end; valid until the next read. A failure means that the peer went away, was
  // too slow or sent a malformed body.
  virtual Task<Result<std::string_view, Failure>> read() = 0;
  // Known length, if any.
  virtual std::optional<std::uint64_t> size() const { return std::nullopt; }
  // After the end: the trailers that followed a chunked body.
  virtual const std::vector<std::pair<std::string, std::string>>& trailers() const;
};

// Reads to the end; a Failure with code EMSGSIZE when it is longer than `bytes_max`.
Task<Result<std::string, Failure>> read_all(Body& body, std::uint64_t bytes_max);

// A body that is already in memory.
std::unique_ptr<Body> make_body(std::string bytes);
// `size` bytes of the file at `path` from `offset`. Opened at once; closed when dropped.
Result<std::unique_ptr<Body>, Failure> make_file_body(const std::string& path, std::uint64_t offset,
                                                      std::uint64_t size);

struct Request {
  std::string method;
  std::string_view target;  // as sent: "/path?query"; absolute forms are reduced to this
  std::string_view path;    // still percent-encoded
  std::string_view query;   // after '?', still encoded; empty when none
  std::vector<HeaderView> headers;  // names in lower case; ":authority" is in `host`
  std::string_view host;            // Host header or :authority
  Body* body = nullptr;             // never null in a handler
  int version = 11;                 // 10, 11 or 20
  bool is_tls = false;
  std::string peer;                 // "127.0.0.1:51234"
  std::string storage;              // what the views point into
  bool peer_gone = false;           // the client closed its side while the handler ran
  std::shared_ptr<std::atomic<bool>> abandoned;

  // True, once the client has gone away before it got its reply; readable from any thread. For handlers that wait.
  std::shared_ptr<std::atomic<bool>> abandonment() {
    if (!abandoned) abandoned = std::make_shared<std::atomic<bool>>(peer_gone);
    return abandoned;
  }
  void note_peer_gone() {
    peer_gone = true;
    if (abandoned) abandoned->store(true);
  }

  // The first header of that lower-case name, or "".
  std::string_view header(std::string_view name) const {
    for (const HeaderView& header : headers)
      if (header.name == name) return header.value;
    return {};
  }
  bool has_header(std::string_view name) const {
    for (const HeaderView& header : headers)
      if (header.name == name) return true;
    return false;
  }
};

struct Response {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;  // content-length, date, connection are the server's
  std::string body;
  std::unique_ptr<Body> stream;  // instead of `body` when set; chunked unless its size is known
  bool close = false;            // close the connection afterwards

  void set(std::string_view name, std::string_view value) {
    for (auto& header : headers)
      if (equals_ignoring_case(header.first, name)) return void(header.second = value);
    headers.emplace_back(name, value);
  }
  void add(std::string_view name, std::string_view value) { headers.emplace_back(name, value); }
  const std::string* find(std::string_view name) const {
    for (const auto& header : headers)
      if (equals_ignoring_case(header.first, name)) return &header.second;
    return nullptr;
  }
};

// Answers one request. The request lives until the task is done.
using Handler = std::function<Task<Response>(Request&)>;

const char* reason_phrase(int status);

}  // namespace reef::http
