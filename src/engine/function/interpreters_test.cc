#include "engine/function/interpreters.h"

#include <gtest/gtest.h>

namespace reef::function {
namespace {

TEST(Interpreters, UnderstandRuntimeNames) {
  EXPECT_EQ(parse_runtime("nodejs20.x")->major, 20);
  EXPECT_EQ(parse_runtime("python3.12")->minor, 12);
  EXPECT_EQ(parse_runtime("provided.al2023")->language, Language::kProvided);
  for (const char* name : {"", "nodejs", "nodejs20", "nodejs20.xy", "python2.7", "python3.", "java21", "ruby3.3", "provided"})
    EXPECT_FALSE(parse_runtime(name).has_value()) << name;
}

TEST(Interpreters, PickTheClosestVersion) {
  const std::vector<Interpreter> installed = {
      {Language::kNode, 18, 20, "n18"}, {Language::kNode, 22, 1, "n22"}, {Language::kPython, 3, 8, "p38"},
      {Language::kPython, 3, 10, "p310"}, {Language::kPython, 3, 12, "p312"}};
  EXPECT_EQ(closest(installed, *parse_runtime("nodejs18.x"))->program, "n18");
  EXPECT_EQ(closest(installed, *parse_runtime("nodejs20.x"))->program, "n22");
  EXPECT_EQ(closest(installed, *parse_runtime("nodejs24.x"))->program, "n22");
  EXPECT_EQ(closest(installed, *parse_runtime("python3.8"))->program, "p310");
  EXPECT_EQ(closest(installed, *parse_runtime("python3.11"))->program, "p312");
  EXPECT_EQ(closest(installed, *parse_runtime("python3.14"))->program, "p312");
  EXPECT_EQ(closest({}, *parse_runtime("python3.14")), nullptr);
}

}  // namespace
}  // namespace reef::function
