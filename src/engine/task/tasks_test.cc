#include "engine/task/tasks.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace reef::task {
namespace {

TEST(UsableAddresses, LeaveOutWhatAVpcKeeps) {
  const auto range = usable_addresses("10.0.16.0/20");
  ASSERT_TRUE(range);
  EXPECT_EQ(range->first, 0x0A001004u);
  EXPECT_EQ(range->second, 0x0A001FFEu);
  for (const char* text : {"", "10.0.0.0", "10.0.0.0/33", "10.0.0/8", "x/8", "10.0.0.0/-1"}) EXPECT_FALSE(usable_addresses(text)) << text;
}

TEST(SignalNumber, KnowsNamesAndNumbers) {
  EXPECT_EQ(signal_number("SIGQUIT"), SIGQUIT);
  EXPECT_EQ(signal_number("INT"), SIGINT);
  EXPECT_EQ(signal_number("15"), SIGTERM);
  EXPECT_EQ(signal_number(""), SIGTERM);
  EXPECT_EQ(signal_number("99"), SIGTERM);
}

TEST(LineSplitter, CutsLinesAndEndlessOnes) {
  LineSplitter lines;
  std::vector<std::string> seen;
  const auto sink = [&](std::string_view line) { seen.emplace_back(line); };
  lines.add("one\ntw", sink);
  lines.add("o\r\n\nthree", sink);
  lines.finish(sink);
  EXPECT_EQ(seen, (std::vector<std::string>{"one", "two", "", "three"}));
  seen.clear();
  lines.add(std::string(LineSplitter::kLineBytesMax + 5, 'x') + "\n", sink);
  EXPECT_EQ(seen.size(), 2u);
}

class ContainerSpec : public testing::Test {
 protected:
  ContainerSpec() : task({.id = "t", .containers = {{.name = "app"}}}, {}, {{}}, Time{}) {
    task.address = "172.31.0.16";
    task.containers[0].image.config = {.entrypoint = {"/app"}, .command = {"--a"}, .env = {"A=1", "PATH=/x"}, .user = "app", .working_folder = "/w"};
    task.containers[0].image.root = std::make_shared<const std::string>("/images/r");
  }
  Result<sandbox::Spec, Failure> make() { return make_container_spec(task, 0, false, "/volumes", 4566, "app:x:7:8::/home/app:/bin/sh\n", ""); }
  LiveTask task;
};

TEST_F(ContainerSpec, TakesTheImagesSettings) {
  const auto spec = make();
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->argv, (std::vector<std::string>{"/app", "--a"}));
  EXPECT_EQ(spec->env, (std::vector<std::string>{"PATH=/x", "A=1", "HOSTNAME=ip-172-31-0-16", "HOME=/home/app"}));
  EXPECT_EQ(spec->uid, 7u);
  EXPECT_EQ(spec->cwd, "/w");
}

TEST_F(ContainerSpec, ThePlanOverridesThem) {
  ContainerPlan& plan = task.plan.containers[0];
  plan.command = {{"--b"}};
  plan.env = {{"A", "2"}, {"HOME", "/h"}};
  plan.user = "0";
  auto spec = make();
  ASSERT_TRUE(spec);
  EXPECT_EQ(spec->argv, (std::vector<std::string>{"/app", "--b"}));
  EXPECT_EQ(spec->env, (std::vector<std::string>{"PATH=/x", "A=2", "HOME=/h", "HOSTNAME=ip-172-31-0-16"}));
  EXPECT_EQ(spec->uid, 0u);
  plan.command.reset();
  plan.entry_point = {{"/other"}};
  EXPECT_EQ(make()->argv, std::vector<std::string>{"/other"});  // without the image's command
}

TEST_F(ContainerSpec, SaysWhatIsWrong) {
  task.plan.containers[0].user = "nobody";
  EXPECT_NE(make().error().message.find("nobody"), std::string::npos);
  task.plan.containers[0].user = "";
  task.plan.containers[0].mounts = {{.volume = "none", .target = "/x"}};
  EXPECT_NE(make().error().message.find("volume none"), std::string::npos);
}

TEST(Usage, ReadsWhatTheKernelCounts) {
  const auto all = parse_net_dev(
      "Inter-|   Receive                                                |  Transmit\n"
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n"
      "    lo:     840      10    0    0    0     0          0         0      840      10    0    0    0     0       0          0\n"
      "  eth0: 1296 12 1 2 0 0 0 0 5000 40 3 4 0 0 0 0\n"
      " broken: 1 2\n");
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(all[1].name, "eth0");
  EXPECT_EQ(all[1].received_bytes, 1296u);
  EXPECT_EQ(all[1].received_dropped, 2u);
  EXPECT_EQ(all[1].sent_bytes, 5000u);
  EXPECT_EQ(all[1].sent_errors, 3u);
}

}  // namespace
}  // namespace reef::task
