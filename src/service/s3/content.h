// Object bytes: from a request into the store, and from the store into a reply.
#pragma once

#include "base/stream_cipher.h"
#include "service/s3/checksum.h"
#include "service/s3/customer_key.h"
#include "service/s3/errors.h"

namespace reef::s3 {

// Bytes that were received, with what was computed over them.
struct Received {
  blob::NewData data;
  std::string etag;                        // MD5, hexadecimal; of what is stored
  std::string md5;                         // the same of what came
  std::string nonce;                       // base64, when it was encrypted
  std::optional<std::string> checksum;     // algorithm name
  std::string checksum_value;
  std::string own_checksum;                // CRC64NVME in base64, when it was asked for
};

// Reads the request's body (or `inside`, for calls that came without one) and checks it against Content-MD5 and
// the checksum that came with it. `algorithm`: computed even when none came; `wants_own`: S3's own
// checksum too, whichever came. `key`: encrypts what is stored.
Task<Reply<Received>> receive(S3& s3, const Call& call, const std::optional<std::string>& inside,
                              std::optional<std::string> content_md5, std::optional<GivenChecksum> given,
                              std::optional<Algorithm> algorithm = std::nullopt, bool wants_own = false,
                              const std::optional<CustomerKey>& key = std::nullopt);

// The same from bytes of stored objects.
struct Source {
  blob::Segment segment;
  std::uint64_t offset, size;
  std::string key, nonce;  // to decrypt it with, when it is encrypted
};
Reply<Received> receive_copy(S3& s3, const std::vector<Source>& sources, std::optional<Algorithm> algorithm,
                             const std::optional<CustomerKey>& key = std::nullopt);

// Which parts of which segments make up [offset, offset + size) of an object. `key`: of an encrypted one.
std::vector<Source> sources_of(const blob::Object& object, std::uint64_t offset, std::uint64_t size,
                               const std::optional<CustomerKey>& key = std::nullopt);

// Puts those bytes into the reply of `call`, streamed unless they are few; into `inside` for calls that came without
// a reply. False when they are gone: replaced a moment ago.
Reply<void> send(S3& s3, const Call& call, const std::vector<Source>& sources, std::optional<std::string>& inside);

}  // namespace reef::s3
