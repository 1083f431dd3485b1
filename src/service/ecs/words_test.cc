#include "service/ecs/words.h"

#include <gtest/gtest.h>

namespace reef::service::ecs {
namespace {

using Words = std::vector<std::string>;

TEST(Words, AreSplitAsAShellDoes) {
  EXPECT_EQ(split_words("  /bin/sh  -c 'echo \"a b\"' "), (Words{"/bin/sh", "-c", "echo \"a b\""}));
  EXPECT_EQ(split_words(R"(a\ b "c \"d\" \n" '' e"f"'g')"), (Words{"a b", R"(c "d" \n)", "", "efg"}));
  EXPECT_EQ(split_words(""), Words{});
  EXPECT_FALSE(split_words("echo 'open"));
}

}  // namespace
}  // namespace reef::service::ecs
