// Sandboxes with an image's files, with a shared network, and with processes beside the workload. Part of the same
// program as sandbox_test.cc.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "engine/sandbox/sandboxes.h"
#include "io/reactor.h"
#include "io/socket.h"

namespace reef::sandbox {
extern Sandboxes* g_sandboxes;

namespace {
namespace fs = std::filesystem;

struct Running {
  std::string out;
  bool ready = false;
  std::optional<Exit> exit;
  std::shared_ptr<Sandbox> sandbox;
};

class ImageSandbox : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists("/bin/busybox")) GTEST_SKIP() << "needs busybox-static";
    const Capabilities& can = g_sandboxes->capabilities();
    if (!can.isolated_network || can.tier == Tier::kProcesses) GTEST_SKIP() << "needs networks of sandboxes";
    char name[] = "/tmp/atoll-image-XXXXXX";
    root_ = ::mkdtemp(name);
    for (const char* folder : {"/bin", "/data"}) fs::create_directory(root_ + folder);
    fs::copy_file("/bin/busybox", root_ + "/bin/sh");
    fs::copy_file("/bin/busybox", root_ + "/bin/busybox");
    std::ofstream(root_ + "/data/kept") << "kept\n";
    for (const auto& entry : fs::recursive_directory_iterator(root_)) give(entry.path());
    give(root_);
  }
  void TearDown() override {
    if (!root_.empty()) fs::remove_all(root_);
  }
  static void give(const fs::path& path) {
    if (const auto id = g_sandboxes->capabilities().image_ids_first) static_cast<void>(!::chown(path.c_str(), id, id));
    ::chmod(path.c_str(), fs::is_directory(path) ? 0755 : 0755);
  }
  Spec shell(const std::string& script) {
    static int count = 0;
    Spec spec;
    spec.id = "image-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
    if (!script.empty()) spec.argv = {"sh", "-c", script};
    spec.search_path = true;
    spec.env = {"PATH=/bin"};
    spec.uid = spec.gid = 0;
    spec.address = "172.31.0.20";
    if (!script.empty()) spec.image.folder = root_;
    return spec;
  }
  std::shared_ptr<Running> start(Spec spec) {
    auto running = std::make_shared<Running>();
    running->sandbox = g_sandboxes->spawn(reactor_, std::move(spec), {
        .on_ready = [=](std::vector<int>) { running->ready = true; },
        .on_output = [=](Stream, std::string_view text) { running->out += text; },
        .on_exit = [=](const Exit& exit) { running->exit = exit; }});
    return running;
  }
  template <class Condition>
  bool wait(Condition condition, Duration most = 10s) {
    const std::int64_t deadline = io::monotonic_micros() + most.count();
    while (!condition()) {
      if (io::monotonic_micros() > deadline) return false;
      reactor_.run_once(20ms);
    }
    return true;
  }

  io::SystemClock clock_;
  io::Reactor reactor_{clock_};
  std::string root_;
};

TEST_F(ImageSandbox, ShowsTheImageAndForgetsWhatIsWritten) {
  for (int i = 0; i < 2; ++i) {
    const auto one = start(shell("busybox cat /data/kept; echo changed > /data/kept; busybox cat /data/kept; busybox ls /; busybox id -u"));
    ASSERT_TRUE(wait([&] { return one->exit.has_value(); }));
    EXPECT_EQ(one->exit->start_failure, "");
    EXPECT_TRUE(one->out.starts_with("kept\nchanged\n")) << one->out;
    EXPECT_EQ(one->out.find("usr"), std::string::npos);   // nothing of the host
    EXPECT_EQ(one->out.find(".host"), std::string::npos);
    EXPECT_TRUE(one->out.ends_with("0\n")) << one->out;
  }
}

TEST_F(ImageSandbox, LinksOfAnImageDoNotLeadToTheHost) {
  fs::remove_all(root_ + "/data");
  fs::create_symlink("/etc", root_ + "/data");
  fs::create_symlink("../../../../../../etc/shadow", root_ + "/shadow");
  Spec spec = shell("busybox cat /shadow /data/shadow; busybox cat /data/hostname");
  spec.hostname = "inside";
  const auto one = start(std::move(spec));
  ASSERT_TRUE(wait([&] { return one->exit.has_value(); }));
  EXPECT_EQ(one->exit->start_failure, "");
  EXPECT_EQ(one->out.find("root:"), std::string::npos) << one->out;
  EXPECT_NE(one->out.find("inside\n"), std::string::npos) << one->out;
}

TEST_F(ImageSandbox, SharesANetworkWithOthersAndIsReachedInIt) {
  const auto holder = start(shell(""));
  ASSERT_TRUE(wait([&] { return holder->ready; }));
  Spec server = shell("echo up; busybox nc -l -p 80 -e busybox echo hello");
  server.join = holder->sandbox->id();
  const auto listening = start(std::move(server));
  ASSERT_TRUE(wait([&] { return listening->out == "up\n"; }));
  int fd = -1;
  // It says that it is up a moment before it listens.
  for (int tries = 0; fd < 0 && tries < 200; ++tries) {
    bool answered = false;
    const std::int64_t began = io::monotonic_micros();
    holder->sandbox->connect(80, [&](Result<int, Failure> connected) {
      answered = true;
      if (connected) fd = *connected;
    }, 0xAC1F0014);
    ASSERT_TRUE(wait([&] { return answered; }));
    if (fd < 0) continue;
    pollfd connecting{fd, POLLOUT, 0};
    ASSERT_EQ(::poll(&connecting, 1, 5000), 1);
    if (io::connect_error(fd) == 0) {
      std::printf("connected inside after %lld us\n", static_cast<long long>(io::monotonic_micros() - began));
      break;
    }
    ::close(std::exchange(fd, -1));
    reactor_.run_once(10ms);
  }
  ASSERT_GE(fd, 0);
  char bytes[16] = {};
  pollfd waiting{fd, POLLIN, 0};
  ASSERT_EQ(::poll(&waiting, 1, 5000), 1);
  EXPECT_EQ(::read(fd, bytes, sizeof(bytes) - 1), 6);
  EXPECT_STREQ(bytes, "hello\n");
  ::close(fd);
  ASSERT_TRUE(wait([&] { return listening->exit.has_value(); }));
  holder->sandbox->kill();
  ASSERT_TRUE(wait([&] { return holder->exit.has_value(); }));
}

TEST_F(ImageSandbox, RunsProcessesBesideTheWorkload) {
  const auto one = start(shell("busybox sleep 30"));
  ASSERT_TRUE(wait([&] { return one->ready; }));
  std::string out;
  std::optional<Exit> exit;
  const RunEvents events{.on_output = [&](Stream, std::string_view text) { out += text; }, .on_exit = [&](const Exit& ended) { exit = ended; }};
  one->sandbox->run({.argv = {"sh", "-c", "echo beside; busybox id -u; exit 3"}, .env = {"PATH=/bin"}}, events);
  ASSERT_TRUE(wait([&] { return exit.has_value(); }));
  EXPECT_EQ(exit->start_failure, "");
  EXPECT_EQ(exit->code, 3);
  EXPECT_EQ(out, "beside\n0\n");
  exit.reset();
  const auto endless = one->sandbox->run({.argv = {"sh", "-c", "while true; do busybox sleep 1; done"}, .env = {"PATH=/bin"}}, events);
  one->sandbox->stop_run(endless);
  ASSERT_TRUE(wait([&] { return exit.has_value(); }));
  EXPECT_EQ(exit->signal, SIGKILL);
  exit.reset();
  one->sandbox->run({.argv = {"nothing"}, .env = {"PATH=/bin"}}, events);
  ASSERT_TRUE(wait([&] { return exit.has_value(); }));
  EXPECT_NE(exit->start_failure.find("not found in $PATH"), std::string::npos);
  one->sandbox->kill();
  ASSERT_TRUE(wait([&] { return one->exit.has_value(); }));
}

}  // namespace
}  // namespace reef::sandbox
