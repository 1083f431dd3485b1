// Runs functions for real: sandboxes, runtimes, timeouts, crashes. No network but loopback.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "engine/function/functions.h"
#include "engine/store/shard.h"

namespace reef::function {
namespace {

sandbox::Sandboxes* g_sandboxes = nullptr;
std::string g_folder;

struct Logs final : LogSink {
  std::string text;
  void write(const Version&, std::string_view, Time, std::string_view message) override {
    text += message;
    if (!message.ends_with('\n')) text += '\n';
  }
};

class FunctionTest : public testing::Test {
 protected:
  FunctionTest() : shard_(0, reactor_) { shard_.adopt_thread(); }
  ~FunctionTest() override {
    functions_.stop();
    wait([&] { return functions_.environments() == 0; }, 300ms);
    wait([] { return false; }, 300ms);
  }
  template <class Condition>
  bool wait(Condition condition, Duration most = 20s) {
    const std::int64_t deadline = io::monotonic_micros() + most.count();
    for (;;) {
      if (condition()) return true;
      if (io::monotonic_micros() > deadline) return false;
      reactor_.run_once(20ms);
    }
  }
  std::shared_ptr<Version> make(const std::string& runtime, const std::string& file, const std::string& text) {
    static int counter = 0;
    auto version = std::make_shared<Version>();
    version->id = "v" + std::to_string(++counter);
    version->function = version->name = "f" + std::to_string(counter);
    version->number = "$LATEST";
    version->runtime = runtime;
    version->language = parse_runtime(runtime)->language;
    version->handler = "index.handler";
    version->code = "packages/" + version->id;
    version->log_group = "/aws/lambda/f";
    version->memory_mib = 256;
    const std::string folder = g_folder + "/" + version->code;
    std::filesystem::create_directories(folder);
    std::ofstream(folder + "/" + file) << text;
    ::chmod((folder + "/" + file).c_str(), 0755);
    return version;
  }
  Outcome invoke(const VersionPtr& version, std::string payload = "{}") {
    std::optional<Result<Outcome, Refusal>> result;
    begin(version, std::move(payload), result);
    EXPECT_TRUE(wait([&] { return result.has_value(); }));
    if (!result || !*result) return {};
    return **result;
  }
  void begin(const VersionPtr& version, std::string payload, std::optional<Result<Outcome, Refusal>>& result) {
    reactor_.post([this, version, payload, &result] { call(version, payload, result).detach(); });
  }
  Task<void> call(VersionPtr version, std::string payload, std::optional<Result<Outcome, Refusal>>& result) {
    Invocation invocation;
    invocation.request_id = "id-" + std::to_string(++count_);
    invocation.payload = std::move(payload);
    result = co_await functions_.invoke(version, std::move(invocation));
  }

  io::SystemClock clock_;
  io::Reactor reactor_{clock_};
  store::Shard shard_;
  Logs logs_;
  Functions functions_{{.folder = g_folder, .booted_ahead = 1}, *g_sandboxes, logs_};
  bool started_ = functions_.start().has_value();
  int count_ = 0;
};

TEST_F(FunctionTest, NodeAnswersColdWarmAndFromABootedRuntime) {
  const auto version = make("nodejs20.x", "index.js", "exports.handler = async (e, c) => { console.log('hi', e.n); return {n: e.n, id: c.awsRequestId, env: process.env.X} }");
  version->env = {{"X", "y"}};
  std::int64_t begin = io::monotonic_micros();
  EXPECT_EQ(invoke(version, R"({"n":1})").payload, R"({"n":1,"id":"id-1","env":"y"})") << logs_.text;
  std::printf("node cold: %.1f ms\n", static_cast<double>(io::monotonic_micros() - begin) / 1000);
  std::vector<std::int64_t> times;
  for (int i = 0; i < 300; ++i) {
    begin = io::monotonic_micros();
    invoke(version, R"({"n":1})");
    times.push_back(io::monotonic_micros() - begin);
  }
  std::sort(times.begin(), times.end());
  std::printf("node warm: median %lld us\n", static_cast<long long>(times[150]));
  wait([] { return false; }, 700ms);
  const auto other = make("nodejs20.x", "index.js", "exports.handler = async (e, c) => 'other'");
  begin = io::monotonic_micros();
  EXPECT_EQ(invoke(other).payload, "\"other\"");
  std::printf("node booted ahead: %.1f ms\n", static_cast<double>(io::monotonic_micros() - begin) / 1000);
  EXPECT_NE(logs_.text.find("START RequestId: id-1 Version: $LATEST\n"), std::string::npos);
  EXPECT_NE(logs_.text.find("\tid-1\tINFO\thi 1\nEND RequestId: id-1\nREPORT RequestId: id-1\tDuration: "), std::string::npos) << logs_.text.substr(0, 500);
}

TEST_F(FunctionTest, PythonAnswers) {
  const auto version = make("python3.11", "index.py", "def handler(e, c):\n  print('hi')\n  return {'v': c.function_version}");
  std::int64_t begin = io::monotonic_micros();
  EXPECT_EQ(invoke(version).payload, R"({"v": "$LATEST"})") << logs_.text;
  std::printf("python cold: %.1f ms\n", static_cast<double>(io::monotonic_micros() - begin) / 1000);
  wait([] { return false; }, 500ms);
  const auto other = make("python3.11", "index.py", "def handler(e, c):\n  return 2");
  begin = io::monotonic_micros();
  EXPECT_EQ(invoke(other).payload, "2");
  std::printf("python booted ahead: %.1f ms\n", static_cast<double>(io::monotonic_micros() - begin) / 1000);
}

TEST_F(FunctionTest, ProvidedRunsItsBootstrap) {
  const auto version = make("provided.al2023", "bootstrap", R"(#!/bin/sh
exec /usr/bin/python3 -u -c '
import http.client, os
api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
while True:
  api.request("GET", "/2018-06-01/runtime/invocation/next"); r = api.getresponse(); body = r.read()
  api.request("POST", "/2018-06-01/runtime/invocation/%s/response" % r.headers["Lambda-Runtime-Aws-Request-Id"], body); api.getresponse().read()
'
)");
  EXPECT_EQ(invoke(version, R"({"a":1})").payload, R"({"a":1})") << logs_.text;
}

TEST_F(FunctionTest, TimesOutCrashesAndRunsOutOfMemory) {
  const auto slow = make("nodejs20.x", "index.js", "exports.handler = async () => new Promise(r => setTimeout(r, 10000))");
  slow->timeout = 300ms;
  Outcome outcome = invoke(slow);
  EXPECT_TRUE(outcome.failed);
  EXPECT_EQ(outcome.payload, R"({"errorType":"Sandbox.Timedout","errorMessage":"RequestId: id-1 Error: Task timed out after 0.30 seconds"})");
  EXPECT_NE(logs_.text.find("Status: timeout"), std::string::npos);
  const auto crash = make("nodejs20.x", "index.js", "exports.handler = async () => process.exit(3)");
  EXPECT_EQ(invoke(crash).payload, R"({"errorType":"Runtime.ExitError","errorMessage":"RequestId: id-2 Error: Runtime exited with error: exit status 3"})");
  const auto hungry = make("python3.11", "index.py", "def handler(e, c):\n  x = []\n  while True: x.append(bytearray(1 << 20))");
  hungry->memory_mib = 128;
  hungry->timeout = 10s;
  EXPECT_EQ(invoke(hungry).payload, R"({"errorType":"Runtime.ExitError","errorMessage":"RequestId: id-3 Error: Runtime exited with error: signal: killed"})");
  EXPECT_NE(logs_.text.find("Error Type: Runtime.OutOfMemory"), std::string::npos) << logs_.text;
  const auto missing = make("python3.11", "other.py", "");
  EXPECT_NE(invoke(missing).payload.find("Runtime.ImportModuleError"), std::string::npos);
  const auto none = make("provided.al2023", "x", "");
  EXPECT_EQ(invoke(none).payload, R"({"errorType":"Runtime.InvalidEntrypoint","errorMessage":"RequestId: id-5 Error: Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"})");
}

TEST_F(FunctionTest, ASlowFunctionDelaysNobody) {
  const auto slow = make("nodejs20.x", "index.js", "exports.handler = async () => new Promise(r => setTimeout(() => r('slow'), 1500))");
  slow->timeout = 5s;
  const auto fast = make("nodejs20.x", "index.js", "exports.handler = async () => 'fast'");
  invoke(fast);
  std::optional<Result<Outcome, Refusal>> first;
  begin(slow, "{}", first);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(invoke(fast).payload, "\"fast\"");
  EXPECT_FALSE(first.has_value());
  EXPECT_TRUE(wait([&] { return first.has_value(); }));
  EXPECT_EQ((**first).payload, "\"slow\"");
}

TEST_F(FunctionTest, RunsConcurrently) {
  const auto version = make("nodejs20.x", "index.js", "exports.handler = async (e) => new Promise(r => setTimeout(() => r(e), 300))");
  std::vector<std::optional<Result<Outcome, Refusal>>> results(5);
  const std::int64_t started = io::monotonic_micros();
  for (int i = 0; i < 5; ++i) begin(version, std::to_string(i), results[static_cast<std::size_t>(i)]);
  EXPECT_TRUE(wait([&] { return std::all_of(results.begin(), results.end(), [](const auto& r) { return r.has_value(); }); }));
  for (int i = 0; i < 5; ++i) EXPECT_EQ((**results[static_cast<std::size_t>(i)]).payload, std::to_string(i));
  std::printf("5 concurrent: %.1f ms\n", static_cast<double>(io::monotonic_micros() - started) / 1000);
}

}  // namespace
}  // namespace reef::function

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  std::optional<reef::sandbox::Tier> forced;
  if (const char* tier = std::getenv("ATOLL_SANDBOX_TIER")) forced = static_cast<reef::sandbox::Tier>(tier[0] - '0');
  auto sandboxes = reef::sandbox::Sandboxes::start(forced);
  if (!sandboxes) return 2;
  reef::function::g_sandboxes = sandboxes->get();
  char folder[] = "/tmp/atoll-function-XXXXXX";
  reef::function::g_folder = ::mkdtemp(folder);
  const int result = RUN_ALL_TESTS();
  std::filesystem::remove_all(folder);
  return result;
}
