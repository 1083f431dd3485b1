#include "service/s3/checksum.h"

#include <gtest/gtest.h>

namespace reef::s3 {

TEST(Checksum, CombinesCrcsOfParts) {
  const std::string first = "some bytes of the first part", second(1000, 'x');
  for (const Algorithm algorithm : {Algorithm::kCrc32, Algorithm::kCrc32c, Algorithm::kCrc64Nvme}) {
    ChecksumState a(algorithm), b(algorithm), whole(algorithm);
    a.update(first);
    b.update(second);
    whole.update(first);
    whole.update(second);
    EXPECT_EQ(combine(algorithm, a.finish(), b.finish(), second.size()), whole.finish()) << algorithm_name(algorithm);
  }
}

TEST(Checksum, GivesKnownValues) {
  ChecksumState crc(Algorithm::kCrc32), sha(Algorithm::kSha256);
  crc.update("123456789");
  sha.update("");
  EXPECT_EQ(crc.finish(), "y/Q5Jg==");
  EXPECT_EQ(sha.finish(), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
}

}  // namespace reef::s3
