#include "gateway/body.h"

#include <zlib.h>

#include <algorithm>
#include <cerrno>

#include "base/digest.h"
#include "base/encoding.h"
#include "base/text.h"

namespace reef::gateway {
namespace {

Failure broken(const char* code) { return {code, EPROTO}; }

class AwsChunkedBody final : public http::Body {
 public:
  AwsChunkedBody(http::Body& inner, const http::Request& request, const aws::SignatureClaim* claim, std::string secret)
      : inner_(inner), secret_(std::move(secret)) {
    const std::string_view kind = request.header("x-amz-content-sha256");
    signed_ = claim && !secret_.empty() && kind.starts_with("STREAMING-AWS4-HMAC-SHA256-PAYLOAD");
    if (claim) {
      claim_ = *claim;
      previous_ = claim->signature;
    }
    if (const auto length = parse_int<std::uint64_t>(request.header("x-amz-decoded-content-length"))) size_ = *length;
  }

  std::optional<std::uint64_t> size() const override { return size_; }
  const std::vector<std::pair<std::string, std::string>>& trailers() const override { return trailers_; }

  Task<Result<std::string_view, Failure>> read() override {
    if (ended_) co_return std::string_view{};
    // A chunk is handed out whole when it is signed (its signature comes first, but covers all of it), otherwise as
    // it arrives.
    if (left_ == 0) {
      if (!first_ && !co_await take_line("")) co_return Err(broken("IncompleteBody"));
      first_ = false;
      std::string header;
      if (!co_await read_line(header)) co_return Err(broken("IncompleteBody"));
      const auto semicolon = header.find(';');
      const std::string_view digits = std::string_view(header).substr(0, semicolon);
      std::uint64_t size = 0;
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), size, 16);
      if (digits.empty() || error != std::errc() || end != digits.data() + digits.size() || size > kChunkBytesMax)
        co_return Err(broken("InvalidChunkSizeError"));
      signature_.clear();
      const auto at = header.find("chunk-signature=");
      if (at != std::string::npos) signature_ = header.substr(at + 16, 64);
      left_ = size;
      if (size == 0) {
        if (signed_ && !check_chunk("")) co_return Err(broken("SignatureDoesNotMatch"));
        if (!co_await read_trailers()) co_return Err(broken("MalformedTrailerError"));
        ended_ = true;
        co_return std::string_view{};
      }
    }
    if (signed_) {
      while (buffer_.size() - at_ < left_)
        if (!co_await fill()) co_return Err(broken("IncompleteBody"));
      piece_ = buffer_.substr(at_, left_);
      at_ += left_;
      left_ = 0;
      if (!check_chunk(piece_)) co_return Err(broken("SignatureDoesNotMatch"));
      co_return std::string_view(piece_);
    }
    if (at_ == buffer_.size() && !co_await fill()) co_return Err(broken("IncompleteBody"));
    const std::size_t size = std::min<std::uint64_t>(left_, buffer_.size() - at_);
    const std::string_view piece = std::string_view(buffer_).substr(at_, size);
    at_ += size;
    left_ -= size;
    co_return piece;
  }

 private:
  static constexpr std::uint64_t kChunkBytesMax = 64ull << 20;
  static constexpr std::size_t kLineBytesMax = 16 * 1024;

  Task<bool> fill() {
    buffer_.erase(0, at_);
    at_ = 0;
    const auto piece = co_await inner_.read();
    if (!piece || piece->empty()) co_return false;
    buffer_ += *piece;
    co_return true;
  }
  Task<bool> read_line(std::string& line) {
    for (;;) {
      const auto end = buffer_.find("\r\n", at_);
      if (end != std::string::npos) {
        line = buffer_.substr(at_, end - at_);
        at_ = end + 2;
        co_return true;
      }
      if (buffer_.size() - at_ > kLineBytesMax || !co_await fill()) co_return false;
    }
  }
  Task<bool> take_line(std::string_view expected) {
    std::string line;
    co_return co_await read_line(line) && line == expected;
  }
  Task<bool> read_trailers() {
    for (;;) {
      std::string line;
      // Some clients end the body right after the last chunk.
      if (buffer_.size() == at_ && !co_await fill()) co_return true;
      if (!co_await read_line(line)) co_return false;
      if (line.empty()) co_return true;
      const auto colon = line.find(':');
      if (colon == std::string::npos) co_return false;
      trailers_.emplace_back(to_lower(trim(std::string_view(line).substr(0, colon))), trim(std::string_view(line).substr(colon + 1)));
    }
  }
  bool check_chunk(std::string_view bytes) {
    static const std::string kEmptyHash = sha256_hex("");
    const std::string to_sign = "AWS4-HMAC-SHA256-PAYLOAD\n" + claim_.timestamp + "\n" + claim_.date + "/" + claim_.region +
                                "/" + claim_.service + "/aws4_request\n" + previous_ + "\n" + kEmptyHash + "\n" + sha256_hex(bytes);
    previous_ = hex_encode(hmac_sha256(aws::signing_key(secret_, claim_.date, claim_.region, claim_.service), to_sign));
    return equals_in_constant_time(previous_, signature_);
  }

  http::Body& inner_;
  std::string secret_;
  aws::SignatureClaim claim_;
  bool signed_ = false, first_ = true, ended_ = false;
  std::uint64_t left_ = 0;
  std::string buffer_, piece_, signature_, previous_;
  std::size_t at_ = 0;
  std::optional<std::uint64_t> size_;
  std::vector<std::pair<std::string, std::string>> trailers_;
};

class CheckedBody final : public http::Body {
 public:
  CheckedBody(http::Body& inner, std::string expected) : inner_(inner), expected_(std::move(expected)), hasher_(Hasher::Kind::kSha256) {}
  std::optional<std::uint64_t> size() const override { return inner_.size(); }
  const std::vector<std::pair<std::string, std::string>>& trailers() const override { return inner_.trailers(); }
  Task<Result<std::string_view, Failure>> read() override {
    const auto piece = co_await inner_.read();
    if (!piece) co_return Err(piece.error());
    if (!piece->empty()) {
      hasher_.update(*piece);
    } else if (!std::exchange(checked_, true) && hex_encode(hasher_.finish()) != expected_) {
      co_return Err(broken("XAmzContentSHA256Mismatch"));
    }
    co_return *piece;
  }

 private:
  http::Body& inner_;
  std::string expected_;
  Hasher hasher_;
  bool checked_ = false;
};

}  // namespace

bool is_aws_chunked(const http::Request& request) {
  return request.header("x-amz-content-sha256").starts_with("STREAMING-") ||
         request.header("content-encoding").find("aws-chunked") != std::string_view::npos;
}

std::unique_ptr<http::Body> decode_aws_chunked(http::Body& inner, const http::Request& request,
                                               const aws::SignatureClaim* claim, std::string secret) {
  return std::make_unique<AwsChunkedBody>(inner, request, claim, std::move(secret));
}

std::unique_ptr<http::Body> check_sha256(http::Body& inner, std::string expected_hex) {
  return std::make_unique<CheckedBody>(inner, std::move(expected_hex));
}

Result<std::string, Failure> inflate(std::string_view bytes, std::size_t bytes_max) {
  z_stream stream{};
  constexpr int kGzipOrZlib = 15 + 32;
  if (::inflateInit2(&stream, kGzipOrZlib) != Z_OK) return Err(broken("inflate"));
  std::string out;
  char piece[32 * 1024];
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  int status = Z_OK;
  while (status == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(piece);
    stream.avail_out = sizeof piece;
    status = ::inflate(&stream, Z_NO_FLUSH);
    out.append(piece, sizeof piece - stream.avail_out);
    if (out.size() > bytes_max) break;
    if (status == Z_BUF_ERROR) break;
  }
  ::inflateEnd(&stream);
  if (out.size() > bytes_max) return Err(Failure{"the inflated body is too large", EMSGSIZE});
  if (status != Z_STREAM_END) return Err(broken("the gzip body is damaged"));
  return out;
}

}  // namespace reef::gateway
