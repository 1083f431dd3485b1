#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "http/message.h"
#include "io/socket.h"

namespace reef::http {
namespace {

const std::vector<std::pair<std::string, std::string>> kNoTrailers;
constexpr std::size_t kPieceBytes = 256 * 1024;

class MemoryBody final : public Body {
 public:
  explicit MemoryBody(std::string bytes) : bytes_(std::move(bytes)) {}
  Task<Result<std::string_view, Failure>> read() override {
    co_return std::exchange(read_, true) ? std::string_view{} : std::string_view(bytes_);
  }
  std::optional<std::uint64_t> size() const override { return bytes_.size(); }

 private:
  std::string bytes_;
  bool read_ = false;
};

// Reads on the loop's thread: the file was written moments ago or is in the page cache in the common case.
class FileBody final : public Body {
 public:
  FileBody(io::Fd fd, std::uint64_t offset, std::uint64_t size)
      : fd_(std::move(fd)), offset_(offset), left_(size), size_(size) {}
  Task<Result<std::string_view, Failure>> read() override {
    if (left_ == 0) co_return std::string_view{};
    buffer_.resize(std::min<std::uint64_t>(kPieceBytes, left_));
    const auto n = ::pread(fd_.get(), buffer_.data(), buffer_.size(), static_cast<off_t>(offset_));
    if (n < 0) co_return Err(io::last_error("read"));
    if (n == 0) co_return Err(Failure{"file is shorter than its record says", EIO});
    offset_ += static_cast<std::uint64_t>(n);
    left_ -= static_cast<std::uint64_t>(n);
    co_return std::string_view(buffer_.data(), static_cast<std::size_t>(n));
  }
  std::optional<std::uint64_t> size() const override { return size_; }

 private:
  io::Fd fd_;
  std::uint64_t offset_, left_, size_;
  std::string buffer_;
};

}  // namespace

const std::vector<std::pair<std::string, std::string>>& Body::trailers() const { return kNoTrailers; }

Task<Result<std::string, Failure>> read_all(Body& body, std::uint64_t bytes_max) {
  std::string out;
  if (const auto size = body.size()) {
    if (*size > bytes_max) co_return Err(Failure{"body is too large", EMSGSIZE});
    out.reserve(*size);
  }
  for (;;) {
    const auto piece = co_await body.read();
    if (!piece) co_return Err(piece.error());
    if (piece->empty()) co_return out;
    if (out.size() + piece->size() > bytes_max) co_return Err(Failure{"body is too large", EMSGSIZE});
    out += *piece;
  }
}

std::unique_ptr<Body> make_body(std::string bytes) { return std::make_unique<MemoryBody>(std::move(bytes)); }

Result<std::unique_ptr<Body>, Failure> make_file_body(const std::string& path, std::uint64_t offset,
                                                      std::uint64_t size) {
  io::Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return Err(io::last_error("open " + path));
  return std::make_unique<FileBody>(std::move(fd), offset, size);
}

const char* reason_phrase(int status) {
  switch (status) {
    case 100: return "Continue";
    case 101: return "Switching Protocols";
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 303: return "See Other";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 411: return "Length Required";
    case 412: return "Precondition Failed";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 416: return "Range Not Satisfiable";
    case 417: return "Expectation Failed";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    case 505: return "HTTP Version Not Supported";
    default: return "Unknown";
  }
}

}  // namespace reef::http
