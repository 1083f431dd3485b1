// The checksums that clients send with objects and ask back.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/digest.h"
#include "service/s3/errors.h"

namespace reef::s3 {

enum class Algorithm { kCrc32, kCrc32c, kCrc64Nvme, kSha1, kSha256 };

std::string_view algorithm_name(Algorithm algorithm);  // "CRC32C"
std::optional<Algorithm> algorithm_from_name(std::string_view name);
std::string header_name(Algorithm algorithm);  // "x-amz-checksum-crc32c"

class ChecksumState {
 public:
  explicit ChecksumState(Algorithm algorithm);
  void update(std::string_view bytes);
  std::string finish();  // base64

 private:
  Algorithm algorithm_;
  std::uint64_t crc_ = 0;
  std::optional<Hasher> hasher_;
};

// The checksum of two runs of bytes from the checksums of each; CRCs only. All base64.
std::optional<std::string> combine(Algorithm algorithm, std::string_view first, std::string_view second,
                                   std::uint64_t second_bytes);

struct GivenChecksum {
  Algorithm algorithm;
  std::string value;  // base64; "" when it follows the body
};

// The checksum that a request came with, by value or by naming its algorithm; InvalidRequest for two of them or for
// an algorithm that is not served.
template <class In>
Reply<std::optional<GivenChecksum>> given_checksum(const In& in, const Call& call) {
  std::optional<GivenChecksum> given;
  int count = 0;
  const auto take = [&](const std::optional<std::string>& value, Algorithm algorithm) {
    if (!value) return;
    given = GivenChecksum{algorithm, *value};
    ++count;
  };
  take(in.checksum_crc32, Algorithm::kCrc32);
  take(in.checksum_crc32_c, Algorithm::kCrc32c);
  take(in.checksum_crc64_nvme, Algorithm::kCrc64Nvme);
  take(in.checksum_sha1, Algorithm::kSha1);
  take(in.checksum_sha256, Algorithm::kSha256);
  if (in.checksum_sha512 || in.checksum_md5 || in.checksum_xxhash64 || in.checksum_xxhash3 || in.checksum_xxhash128)
    return Err(aws::not_implemented("A checksum other than CRC32, CRC32C, CRC64NVME, SHA1 and SHA256"));
  if (count > 1) return Err(invalid_request("Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed."));
  if (given) return given;
  std::string_view named;
  if (call.http_request) named = call.http_request->header("x-amz-trailer");
  if (named.starts_with("x-amz-checksum-")) {
    named.remove_prefix(15);
  } else {
    named = {};
    if constexpr (requires { in.checksum_algorithm; })
      if (in.checksum_algorithm) named = *in.checksum_algorithm;
  }
  if (named.empty()) return given;
  const auto algorithm = algorithm_from_name(named);
  if (!algorithm) return Err(aws::not_implemented("The checksum algorithm " + std::string(named)));
  return GivenChecksum{*algorithm, ""};
}

// Sets the one checksum member of an output.
template <class Out>
void set_checksum(Out& out, std::string_view algorithm, const std::string& value) {
  if (algorithm == "CRC32") out.checksum_crc32 = value;
  if (algorithm == "CRC32C") out.checksum_crc32_c = value;
  if (algorithm == "CRC64NVME") out.checksum_crc64_nvme = value;
  if (algorithm == "SHA1") out.checksum_sha1 = value;
  if (algorithm == "SHA256") out.checksum_sha256 = value;
}

}  // namespace reef::s3
