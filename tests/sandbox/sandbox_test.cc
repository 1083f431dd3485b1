// Runs real sandboxes on this machine, in the best tier it allows or in ATOLL_SANDBOX_TIER (0, 1 or 2).
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "engine/sandbox/sandboxes.h"
#include "io/reactor.h"

namespace reef::sandbox {

Sandboxes* g_sandboxes = nullptr;

namespace {

std::optional<Tier> g_forced;

struct Outcome {
  std::string out, err;
  std::optional<Exit> exit;
  std::optional<std::int64_t> ready_micros;
  std::vector<int> listeners;
  std::shared_ptr<Sandbox> sandbox;
};

class SandboxTest : public testing::Test {
 protected:
  void SetUp() override { static int counter = 0; prefix_ = "t" + std::to_string(::getpid()) + "-" + std::to_string(++counter); }
  bool isolated() const { return g_sandboxes->capabilities().tier != Tier::kProcesses; }
  bool own_network() const { return isolated() && g_sandboxes->capabilities().isolated_network; }

  Spec shell(const std::string& script) {
    Spec spec;
    spec.id = prefix_ + "-" + std::to_string(++count_);
    spec.argv = {"/bin/sh", "-c", script};
    spec.env = {"PATH=/usr/local/bin:/usr/bin:/bin"};
    return spec;
  }
  std::shared_ptr<Outcome> start(Spec spec) {
    auto outcome = std::make_shared<Outcome>();
    const std::int64_t begin = io::monotonic_micros();
    outcome->sandbox = g_sandboxes->spawn(reactor_, std::move(spec), {
        .on_ready = [=](std::vector<int> fds) { outcome->listeners = std::move(fds); outcome->ready_micros = io::monotonic_micros() - begin; },
        .on_output = [=](Stream stream, std::string_view text) { (stream == Stream::kOut ? outcome->out : outcome->err) += text; },
        .on_exit = [=](const Exit& exit) { outcome->exit = exit; }});
    return outcome;
  }
  template <class Condition>
  bool wait(Condition condition, Duration most = 10s) {
    const std::int64_t deadline = io::monotonic_micros() + most.count();
    for (;;) {
      if (condition()) return true;
      if (io::monotonic_micros() > deadline) return false;
      reactor_.run_once(20ms);
    }
  }
  Outcome& run(Spec spec, Duration most = 10s) {
    last_ = start(std::move(spec));
    EXPECT_TRUE(wait([&] { return last_->exit.has_value(); }, most));
    if (last_->exit && !last_->exit->start_failure.empty()) ADD_FAILURE() << last_->exit->start_failure;
    return *last_;
  }

  io::SystemClock clock_;
  io::Reactor reactor_{clock_};
  std::shared_ptr<Outcome> last_;
  std::string prefix_;
  int count_ = 0;
};

TEST_F(SandboxTest, RunsAProgramAndDeliversItsOutputAndStatus) {
  Outcome& outcome = run(shell("echo out; echo err >&2; exit 7"));
  EXPECT_EQ(outcome.out, "out\n");
  EXPECT_EQ(outcome.err, "err\n");
  EXPECT_EQ(outcome.exit->code, 7);
  std::printf("ready after %lld us\n", static_cast<long long>(outcome.ready_micros.value_or(-1)));
}

TEST_F(SandboxTest, SaysWhyAProgramCannotStart) {
  Spec spec = shell("");
  spec.argv = {"/no/such/program"};
  const auto outcome = start(spec);
  ASSERT_TRUE(wait([&] { return outcome->exit.has_value(); }));
  EXPECT_EQ(outcome->exit->start_failure, "execute /no/such/program: No such file or directory");
}

TEST_F(SandboxTest, HidesTheHost) {
  if (!isolated()) GTEST_SKIP();
  Outcome& outcome = run(shell("ls /; id -u; ls /root 2>&1 | wc -l; touch /usr/x 2>/dev/null && echo writable; touch /tmp/x && echo tmp; ls /proc | grep -c '^[0-9]'; hostname 2>/dev/null; cat /etc/passwd | wc -l; grep -c . /proc/net/dev"));
  EXPECT_NE(outcome.out.find("993\n"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("tmp\n"), std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.out.find("writable"), std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.out.find(".host"), std::string::npos) << outcome.out;
}

TEST_F(SandboxTest, HasNoCapabilitiesAndCannotMount) {
  if (!isolated()) GTEST_SKIP();
  Outcome& outcome = run(shell("grep -E 'Cap(Inh|Prm|Eff|Bnd)|NoNewPrivs|Seccomp:' /proc/self/status; mount -t tmpfs x /tmp 2>&1; unshare -U true 2>&1 && echo unshared"));
  EXPECT_NE(outcome.out.find("CapBnd:\t0000000000000000"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("CapEff:\t0000000000000000"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("NoNewPrivs:\t1"), std::string::npos) << outcome.out;
  EXPECT_NE(outcome.out.find("Seccomp:\t2"), std::string::npos) << outcome.out;
  EXPECT_EQ(outcome.out.find("unshared"), std::string::npos) << outcome.out;
}

TEST_F(SandboxTest, EndsWhenItUsesTooMuchMemory) {
  Spec spec = shell("exec /usr/bin/python3 -c 'x=[]\nwhile True: x.append(bytearray(1<<20))'");
  spec.limits.memory_bytes = 64 << 20;
  Outcome& outcome = run(spec);
  EXPECT_TRUE(outcome.exit->out_of_memory);
  EXPECT_EQ(outcome.exit->signal, SIGKILL);
}

TEST_F(SandboxTest, StopsGracefullyThenByForce) {
  const auto polite = start(shell("trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.05; done"));
  ASSERT_TRUE(wait([&] { return polite->out == "up\n"; }));
  polite->sandbox->stop(SIGTERM, 5s);
  ASSERT_TRUE(wait([&] { return polite->exit.has_value(); }));
  EXPECT_EQ(polite->exit->code, 3);
  EXPECT_EQ(polite->out, "up\nbye\n");
  const auto stubborn = start(shell("trap '' TERM; (trap '' TERM; sleep 1000) & echo up; while :; do sleep 0.05; done"));
  ASSERT_TRUE(wait([&] { return stubborn->out == "up\n"; }));
  stubborn->sandbox->stop(SIGTERM, 100ms);
  ASSERT_TRUE(wait([&] { return stubborn->exit.has_value(); }));
  EXPECT_NE(stubborn->exit->signal + stubborn->exit->code, 0);
}

TEST_F(SandboxTest, RedirectsOutboundConnectionsToTheDaemon) {
  if (!own_network()) GTEST_SKIP();
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(::listen(listener, 10), 0);
  socklen_t size = sizeof(address);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  g_sandboxes->set_outbound_policy(default_outbound_policy(ntohs(address.sin_port)));
  Spec spec = shell("exec /usr/bin/python3 -c '\nimport socket\nname=socket.gethostbyname(\"api.localhost.localstack.cloud\")\ns=socket.create_connection((name,4566),timeout=3)\ns.sendall(b\"hello\")\nprint(name,s.recv(10))\ntry:\n  socket.create_connection((\"169.254.169.254\",80),timeout=3).recv(1)\n  print(\"metadata\")\nexcept OSError as e: print(\"refused\")'");
  const auto outcome = start(spec);
  int peer = -1;
  ASSERT_TRUE(wait([&] { return (peer = ::accept(listener, nullptr, nullptr)) >= 0 || outcome->exit; }));
  ASSERT_GE(peer, 0) << outcome->err;
  char buffer[16] = {};
  ASSERT_TRUE(wait([&] { return ::recv(peer, buffer, 5, MSG_DONTWAIT) == 5; }));
  EXPECT_STREQ(buffer, "hello");
  ::send(peer, "world", 5, 0);
  ASSERT_TRUE(wait([&] { return outcome->exit.has_value(); }));
  EXPECT_EQ(outcome->out, "169.254.100.1 b'world'\nrefused\n") << outcome->err;
  ::close(peer);
  ::close(listener);
}

TEST_F(SandboxTest, ListensInsideForTheDaemonAndConnectsIn) {
  if (!own_network()) GTEST_SKIP();
  Spec spec = shell("exec /usr/bin/python3 -u -c '\nimport socket\nl=socket.socket(); l.bind((\"0.0.0.0\",8080)); l.listen(); print(\"up\")\ns=socket.create_connection((\"127.0.0.1\",9001)); s.sendall(b\"next\")\nprint(s.recv(10))\nc,_=l.accept(); c.sendall(b\"inside\"); c.close()'");
  spec.listen_ports = {9001};
  const auto outcome = start(spec);
  ASSERT_TRUE(wait([&] { return outcome->listeners.size() == 1; }));
  int peer = -1;
  ASSERT_TRUE(wait([&] { return (peer = ::accept(outcome->listeners[0], nullptr, nullptr)) >= 0; }));
  ::send(peer, "event", 5, 0);
  int inside = -1;
  outcome->sandbox->connect(8080, [&](Result<int, Failure> fd) { inside = fd ? *fd : -2; });
  ASSERT_TRUE(wait([&] { return inside != -1; }));
  ASSERT_GE(inside, 0);
  char buffer[16] = {};
  ASSERT_TRUE(wait([&] { return ::recv(inside, buffer, 6, MSG_DONTWAIT) == 6; }));
  EXPECT_STREQ(buffer, "inside");
  ASSERT_TRUE(wait([&] { return outcome->exit.has_value(); }));
  EXPECT_EQ(outcome->out, "up\nb'event'\n");
  for (int fd : {peer, inside, outcome->listeners[0]}) ::close(fd);
}

TEST_F(SandboxTest, AttachesItsPurposeLater) {
  if (!isolated()) GTEST_SKIP();
  const std::string root = std::filesystem::temp_directory_path() / prefix_;
  for (const char* name : {"one", "two"}) {
    std::filesystem::create_directories(root + "/" + name);
    std::ofstream(root + "/" + name + "/f") << name;
  }
  Spec spec = shell("while [ ! -e /var/task/f ]; do sleep 0.01; done; sleep 0.1; cat /var/task/f; ls /run/later; touch /var/task/g 2>/dev/null && echo writable; true");
  spec.later_root = root;
  spec.later_targets = {"/var/task"};
  const auto outcome = start(spec);
  ASSERT_TRUE(wait([&] { return outcome->ready_micros.has_value(); }));
  std::optional<std::string> attached;
  outcome->sandbox->attach({{"one", "/var/task"}}, [&](Result<void, Failure> r) { attached = r ? "" : r.error().message; });
  ASSERT_TRUE(wait([&] { return attached.has_value(); }));
  EXPECT_EQ(*attached, "");
  ASSERT_TRUE(wait([&] { return outcome->exit.has_value(); }));
  EXPECT_EQ(outcome->out, "one") << outcome->err;
  std::filesystem::remove_all(root);
}

TEST_F(SandboxTest, LeavesNoOrphanWhenTheDaemonIsKilled) {
  // A daemon of our own in a child process, killed while its sandbox runs.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  int report[2];
  ASSERT_EQ(::pipe(report), 0);
  const pid_t daemon = ::fork();
  if (daemon == 0) {
    auto sandboxes = Sandboxes::start(g_forced);
    io::SystemClock clock;
    io::Reactor reactor(clock);
    std::shared_ptr<Sandbox> sandbox;
    sandbox = (*sandboxes)->spawn(reactor, shell("sleep 1000 & echo $!; wait"), {.on_output = [&](Stream, std::string_view text) {
      const int pids[] = {sandbox->pid(), isolated() ? sandbox->pid() : std::atoi(std::string(text).c_str())};
      static_cast<void>(!::write(report[1], pids, sizeof(pids)));
    }});
    for (;;) reactor.run_once(100ms);
  }
  int pids[2];
  ASSERT_EQ(::read(report[0], pids, sizeof(pids)), static_cast<ssize_t>(sizeof(pids)));
  ASSERT_GT(pids[0], 1);
  ASSERT_EQ(::kill(pids[1], 0), 0);
  ::kill(daemon, SIGKILL);
  const auto gone = [&] {
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    return ::kill(pids[0], 0) < 0 && ::kill(pids[1], 0) < 0;
  };
  EXPECT_TRUE(wait(gone, 5s));
  ::prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0);
  ::close(report[0]);
  ::close(report[1]);
}

TEST_F(SandboxTest, StartsManyAtOnce) {
  std::vector<std::shared_ptr<Outcome>> all;
  const std::int64_t begin = io::monotonic_micros();
  for (int i = 0; i < 50; ++i) all.push_back(start(shell("exit 0")));
  ASSERT_TRUE(wait([&] {
    for (const auto& one : all)
      if (!one->exit) return false;
    return true;
  }, 20s));
  for (const auto& one : all) EXPECT_EQ(one->exit->start_failure, "");
  std::printf("%lld us each\n", static_cast<long long>((io::monotonic_micros() - begin) / 50));
}

}  // namespace
}  // namespace reef::sandbox

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  using reef::sandbox::Tier;
  if (const char* tier = std::getenv("ATOLL_SANDBOX_TIER")) reef::sandbox::g_forced = static_cast<Tier>(tier[0] - '0');
  auto sandboxes = reef::sandbox::Sandboxes::start(reef::sandbox::g_forced);
  if (!sandboxes) return 2;
  reef::sandbox::g_sandboxes = sandboxes->get();
  const auto& can = (*sandboxes)->capabilities();
  std::printf("%s, network %d, cgroups %d\n", reef::sandbox::tier_name(can.tier), can.isolated_network, static_cast<int>(can.cgroups));
  for (const auto& missing : can.missing) std::printf("missing: %s -> %s\n", missing.what.c_str(), missing.fix.c_str());
  return RUN_ALL_TESTS();
}
