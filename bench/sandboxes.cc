// What a sandbox costs: milliseconds from asking for one until its program runs, one after the other, and the memory
// of many at once beyond that of their programs: of this process, of the spawner and of the first process of each,
// and what the kernel takes for their namespaces (from MemAvailable, so on an otherwise quiet machine).
//   cmake --preset release && ninja -C build/release bench_sandboxes && build/release/bench_sandboxes [one by one] [at once]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <unistd.h>

#include "engine/sandbox/sandboxes.h"
#include "io/reactor.h"

using namespace reef;
using namespace reef::sandbox;

namespace {

double milliseconds(std::chrono::steady_clock::time_point since) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - since).count();
}

std::int64_t kilobytes(const std::string& file, const std::string& name) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(name + ":")) return std::atoll(line.c_str() + name.size() + 1);
  return 0;
}

struct Held {
  std::int64_t ours = 0, programs = 0;  // proportional shares, kB
};

// Of the process and all below it, the sandboxes' programs apart.
void add_memory(const std::string& pid, Held& held) {
  std::error_code failed;
  const bool is_program = std::filesystem::read_symlink("/proc/" + pid + "/exe", failed).filename() != "bench_sandboxes";
  (is_program ? held.programs : held.ours) += kilobytes("/proc/" + pid + "/smaps_rollup", "Pss");
  for (const auto& task : std::filesystem::directory_iterator("/proc/" + pid + "/task", failed)) {
    std::ifstream children(task.path() / "children");
    for (std::string child; children >> child;) add_memory(child, held);
  }
}

class Bench {
 public:
  explicit Bench(Sandboxes& sandboxes) : sandboxes_(sandboxes) {}

  void one_by_one(int count) {
    std::vector<double> took;
    for (int i = 0; i < count; ++i) {
      const auto began = std::chrono::steady_clock::now();
      start();
      while (ready_ == 0) reactor_.run_once(std::chrono::milliseconds(1));
      took.push_back(milliseconds(began));
      clear();
    }
    std::ranges::sort(took);
    std::printf("started one by one: median %.2f ms, p99 %.2f ms\n", took[took.size() / 2], took[took.size() * 99 / 100]);
  }

  void at_once(int count) {
    Held before, with;
    add_memory(std::to_string(::getpid()), before);
    const std::int64_t free_before = kilobytes("/proc/meminfo", "MemAvailable");
    const auto began = std::chrono::steady_clock::now();
    for (int i = 0; i < count; ++i) start();
    while (ready_ < count) reactor_.run_once(std::chrono::milliseconds(1));
    const double took = milliseconds(began);
    ::usleep(500'000);  // the kernel's bookkeeping settles
    add_memory(std::to_string(::getpid()), with);
    const double kernel = static_cast<double>(free_before - kilobytes("/proc/meminfo", "MemAvailable") - (with.ours - before.ours) - with.programs);
    std::printf("%d at once: %.0f ms, %.2f ms each; each holds %.0f kB of ours and about %.0f kB of the kernel's, its program %.0f kB\n", count, took, took / count,
                static_cast<double>(with.ours - before.ours) / count, std::max(0.0, kernel) / count, static_cast<double>(with.programs) / count);
    clear();
  }

 private:
  void start() {
    Spec spec;
    spec.id = "bench-" + std::to_string(::getpid()) + "-" + std::to_string(++number_);
    spec.argv = {"/bin/sleep", "1000"};
    spec.env = {"PATH=/usr/bin:/bin"};
    living_.push_back(sandboxes_.spawn(reactor_, std::move(spec), {
        .on_ready = [this](std::vector<int>) { ++ready_; },
        .on_output = {},
        .on_exit = [this](const Exit& exit) {
          if (!exit.start_failure.empty()) { std::fprintf(stderr, "%s\n", exit.start_failure.c_str()); std::exit(1); }
          ++ended_;
        }}));
  }
  void clear() {
    for (const auto& one : living_) one->kill();
    while (ended_ < static_cast<int>(living_.size())) reactor_.run_once(std::chrono::milliseconds(1));
    living_.clear();
    ready_ = ended_ = 0;
  }

  Sandboxes& sandboxes_;
  io::SystemClock clock_;
  io::Reactor reactor_{clock_};
  std::vector<std::shared_ptr<Sandbox>> living_;
  int number_ = 0, ready_ = 0, ended_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  auto sandboxes = Sandboxes::start();
  if (!sandboxes) return std::fprintf(stderr, "%s\n", sandboxes.error().message.c_str()), 2;
  std::printf("%s\n", tier_name((*sandboxes)->capabilities().tier));
  Bench bench(**sandboxes);
  bench.one_by_one(argc > 1 ? std::atoi(argv[1]) : 200);
  bench.at_once(argc > 2 ? std::atoi(argv[2]) : 200);
}
