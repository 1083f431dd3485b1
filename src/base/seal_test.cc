#include "base/seal.h"

#include <gtest/gtest.h>

namespace reef {

TEST(Seal, OpensOnlyForItsKeyAndPurpose) {
  const std::string key = secret_bytes(kSealKeyBytes), other = secret_bytes(kSealKeyBytes);
  for (const std::string text : {std::string(), std::string("a"), std::string(10'000, 'x')}) {
    const std::string sealed = seal(key, "session", text);
    EXPECT_EQ(unseal(key, "session", sealed), text);
    EXPECT_FALSE(unseal(other, "session", sealed));
    EXPECT_FALSE(unseal(key, "state", sealed));
    EXPECT_NE(seal(key, "session", text), sealed);
  }
}

TEST(Seal, NoticesEveryChange) {
  const std::string key = secret_bytes(kSealKeyBytes), sealed = seal(key, "", "claims");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = static_cast<char>(changed[i] ^ 1);
    EXPECT_FALSE(unseal(key, "", changed)) << i;
    EXPECT_FALSE(unseal(key, "", sealed.substr(0, i)));
  }
  EXPECT_FALSE(unseal("short", "", sealed));
}

}  // namespace reef
