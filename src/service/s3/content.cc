#include "service/s3/content.h"

#include <algorithm>

#include "base/encoding.h"
#include "base/seal.h"
#include "base/text.h"
#include "service/s3/object_headers.h"

namespace reef::s3 {
namespace {

// Computes everything that is wanted of bytes on their way into the store.
class Intake {
 public:
  Intake(S3& s3, std::optional<Algorithm> algorithm, const std::optional<CustomerKey>& key, bool wants_own = false)
      : data_(s3.blobs.data().writer()), md5_(Hasher::Kind::kMd5) {
    if (key) {
      nonce_ = secret_bytes(StreamCipher::kNonceBytes);
      cipher_.emplace(key->bytes, nonce_);
      plain_md5_.emplace(Hasher::Kind::kMd5);
    }
    if (algorithm) checksum_.emplace(*algorithm), algorithm_ = algorithm;
    if (wants_own && algorithm != Algorithm::kCrc64Nvme) own_.emplace(Algorithm::kCrc64Nvme);
  }
  Result<void, Failure> take(std::string_view bytes) {
    if (checksum_) checksum_->update(bytes);
    if (own_) own_->update(bytes);
    if (!cipher_) {
      md5_.update(bytes);
      return data_.append(bytes);
    }
    plain_md5_->update(bytes);
    const std::string hidden = cipher_->apply(bytes);
    md5_.update(hidden);
    return data_.append(hidden);
  }
  Reply<Received> finish() {
    if (auto finished = data_.finish(); !finished) return Err(storage_failed(finished.error()));
    Received out{.data = std::move(data_), .etag = hex_encode(md5_.finish())};
    out.md5 = plain_md5_ ? hex_encode(plain_md5_->finish()) : out.etag;
    if (cipher_) out.nonce = base64_encode(nonce_);
    if (checksum_) {
      out.checksum = algorithm_name(*algorithm_);
      out.checksum_value = checksum_->finish();
    }
    out.own_checksum = own_ ? own_->finish() : algorithm_ == Algorithm::kCrc64Nvme ? out.checksum_value : "";
    return out;
  }

 private:
  blob::NewData data_;
  Hasher md5_;
  std::optional<ChecksumState> checksum_, own_;
  std::optional<Hasher> plain_md5_;
  std::string nonce_;
  std::optional<StreamCipher> cipher_;
  std::optional<Algorithm> algorithm_;
};

aws::Error body_fault(const Failure& failure) {
  if (failure.message == "XAmzContentSHA256Mismatch")
    return {"XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header does not match what was computed.", 400};
  if (failure.message == "SignatureDoesNotMatch")
    return {"SignatureDoesNotMatch",
            "The request signature we calculated does not match the signature you provided. Check your key and signing method.",
            403};
  if (failure.message == "MalformedTrailerError")
    return {"MalformedTrailerError", "The request contained trailing data that was not well-formed or did not conform to our "
                                     "published schema.", 400};
  return {"IncompleteBody", "You did not provide the number of bytes specified by the Content-Length HTTP header", 400};
}

// A stored body as it was before it was encrypted.
class DecryptedBody final : public http::Body {
 public:
  DecryptedBody(std::unique_ptr<http::Body> inner, StreamCipher cipher) : inner_(std::move(inner)), cipher_(std::move(cipher)) {}
  Task<Result<std::string_view, Failure>> read() override {
    auto piece = co_await inner_->read();
    if (!piece || piece->empty()) co_return piece;
    buffer_ = cipher_.apply(*piece);
    co_return std::string_view(buffer_);
  }
  std::optional<std::uint64_t> size() const override { return inner_->size(); }

 private:
  std::unique_ptr<http::Body> inner_;
  StreamCipher cipher_;
  std::string buffer_;
};

std::optional<StreamCipher> cipher_of(const Source& source) {
  if (source.key.empty()) return std::nullopt;
  return StreamCipher(source.key, source.nonce, source.offset);
}

// Gives the bytes of a source, decrypted, to `visit`.
Reply<void> read_source(S3& s3, const Source& source, const blob::DataFolder::Visit& visit) {
  std::optional<StreamCipher> cipher = cipher_of(source);
  const auto read = s3.blobs.data().read(source.segment, source.offset, source.size,
                                         [&](std::string_view bytes) { return cipher ? visit(cipher->apply(bytes)) : visit(bytes); });
  if (!read) return Err(storage_failed(read.error()));
  return {};
}

// One body after another.
class ChainBody final : public http::Body {
 public:
  ChainBody(std::vector<std::unique_ptr<http::Body>> bodies, std::uint64_t size) : bodies_(std::move(bodies)), size_(size) {}
  Task<Result<std::string_view, Failure>> read() override {
    for (; at_ < bodies_.size(); ++at_) {
      auto piece = co_await bodies_[at_]->read();
      if (!piece || !piece->empty()) co_return piece;
    }
    co_return std::string_view{};
  }
  std::optional<std::uint64_t> size() const override { return size_; }

 private:
  std::vector<std::unique_ptr<http::Body>> bodies_;
  std::uint64_t size_;
  std::size_t at_ = 0;
};

}  // namespace

Task<Reply<Received>> receive(S3& s3, const Call& call, const std::optional<std::string>& inside,
                              std::optional<std::string> content_md5, std::optional<GivenChecksum> given,
                              std::optional<Algorithm> algorithm, bool wants_own, const std::optional<CustomerKey>& key) {
  if (given) algorithm = given->algorithm;
  if (content_md5) {
    const auto raw = base64_decode(*content_md5);
    if (!raw || raw->size() != 16) {
      aws::Error error("InvalidDigest", "The Content-MD5 you specified was invalid.", 400);
      error.fields.set("Content-MD5", *content_md5);
      co_return Err(std::move(error));
    }
  }
  Intake intake(s3, algorithm, key, wants_own);
  if (call.http_request && call.http_request->body && !inside) {
    http::Body& body = *call.http_request->body;
    for (;;) {
      const auto piece = co_await body.read();
      if (!piece) co_return Err(body_fault(piece.error()));
      if (piece->empty()) break;
      if (auto taken = intake.take(*piece); !taken) co_return Err(storage_failed(taken.error()));
    }
    if (given && given->value.empty())
      for (const auto& [name, value] : body.trailers())
        if (equals_ignoring_case(name, header_name(given->algorithm))) given->value = value;
  } else if (inside) {
    if (auto taken = intake.take(*inside); !taken) co_return Err(storage_failed(taken.error()));
  }
  Received received = CO_TRY(intake.finish());
  if (content_md5 && base64_encode(*hex_decode(received.md5)) != *content_md5) {
    aws::Error error("BadDigest", "The Content-MD5 you specified did not match what we received.", 400);
    error.fields.set("ExpectedDigest", hex_encode(base64_decode(*content_md5).value_or("")));
    error.fields.set("CalculatedDigest", base64_encode(*hex_decode(received.md5)));
    co_return Err(std::move(error));
  }
  if (given && !given->value.empty() && given->value != received.checksum_value) {
    const auto raw = base64_decode(given->value);
    if (!raw || raw->size() != base64_decode(received.checksum_value).value_or("").size())
      co_return Err(invalid_request("Value for " + header_name(given->algorithm) + " header is invalid."));
    co_return Err(aws::Error("BadDigest", "The " + std::string(algorithm_name(given->algorithm)) +
                                              " you specified did not match the calculated checksum.", 400));
  }
  co_return received;
}

Reply<Received> receive_copy(S3& s3, const std::vector<Source>& sources, std::optional<Algorithm> algorithm,
                             const std::optional<CustomerKey>& key) {
  Intake intake(s3, algorithm, key);
  for (const Source& source : sources) TRY(read_source(s3, source, [&](std::string_view bytes) { return intake.take(bytes); }));
  return intake.finish();
}

std::vector<Source> sources_of(const blob::Object& object, std::uint64_t offset, std::uint64_t size, const std::optional<CustomerKey>& key) {
  std::vector<Source> out;
  std::uint64_t at = 0;
  const auto add = [&](const blob::Segment& segment, const blob::Properties& properties) {
    const std::uint64_t end = at + segment.size;
    if (end > offset && at < offset + size) {
      const std::uint64_t from = std::max(at, offset);
      Source& source = out.emplace_back(segment, from - at, std::min(end, offset + size) - from);
      if (key) source.key = key->bytes, source.nonce = base64_decode(property_of(properties, property::kNonce).value_or("")).value_or("");
    }
    at = end;
  };
  for (const blob::Segment& segment : object.segments) add(segment, object.properties);
  for (const blob::Part& part : object.parts)
    for (const blob::Segment& segment : part.segments) add(segment, part.properties);
  return out;
}

Reply<void> send(S3& s3, const Call& call, const std::vector<Source>& sources, std::optional<std::string>& inside) {
  const bool only_inline = std::ranges::all_of(sources, [](const Source& source) { return source.segment.is_inline; });
  if (!call.http_response || (only_inline && sources.size() <= 1)) {
    inside.emplace();
    for (const Source& source : sources) {
      TRY(read_source(s3, source, [&](std::string_view bytes) {
        *inside += bytes;
        return Result<void, Failure>();
      }));
    }
    return {};
  }
  std::vector<std::unique_ptr<http::Body>> bodies;
  std::uint64_t size = 0;
  for (const Source& source : sources) {
    size += source.size;
    std::optional<StreamCipher> cipher = cipher_of(source);
    if (source.segment.is_inline) {
      std::string bytes = s3.blobs.data().read_inline(source.segment).substr(source.offset, source.size);
      bodies.push_back(http::make_body(cipher ? cipher->apply(bytes) : std::move(bytes)));
      continue;
    }
    auto file = http::make_file_body(s3.blobs.data().path_of(source.segment), source.offset, source.size);
    if (!file) return Err(storage_failed(file.error()));
    if (cipher) bodies.push_back(std::make_unique<DecryptedBody>(*std::move(file), *std::move(cipher)));
    else bodies.push_back(*std::move(file));
  }
  call.http_response->stream =
      bodies.size() == 1 ? std::move(bodies.front()) : std::make_unique<ChainBody>(std::move(bodies), size);
  return {};
}

}  // namespace reef::s3
