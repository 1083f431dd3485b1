#include "app/clock_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "io/socket.h"
#include "wire/json.h"

namespace reef::app {
namespace {

constexpr Duration kFollows = 1ms;  // closer to real time than this is real time: the two are not read at once

std::string path_of(const std::string& data) { return data + "/clock.json"; }
Duration ahead(const io::SystemClock& clock) { return clock.now() - io::SystemClock().now(); }

}  // namespace

Result<void, Failure> load_clock(const std::string& data, io::SystemClock& clock) {
  std::ifstream in(path_of(data));
  if (!in) return {};
  const auto kept = wire::Json::parse(std::string(std::istreambuf_iterator<char>(in), {}));
  if (!kept || (*kept)["format"].as_int() != 1) return Err(Failure{fmt::format("{} is not a clock that this version of Atoll kept", path_of(data))});
  if (const auto frozen = (*kept)["frozen_micros"].as_int()) {
    clock.freeze();
    clock.advance(from_micros(*frozen) - clock.now());
  } else {
    clock.advance(Duration((*kept)["offset_micros"].as_int().value_or(0)));
  }
  return {};
}

Result<void, Failure> save_clock(const std::string& data, const io::SystemClock& clock) {
  const std::string path = path_of(data), fresh = path + ".new";
  const Duration offset = ahead(clock);
  if (!clock.frozen() && offset < kFollows && offset > -kFollows) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) return Err(io::last_error("remove " + path));
    return {};
  }
  wire::Json kept = wire::Json::object({{"format", 1}});
  if (clock.frozen()) kept.set("frozen_micros", to_micros(clock.now()));
  else kept.set("offset_micros", offset.count());
  const std::string text = kept.dump() + "\n";
  const io::Fd file(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
  if (!file || ::write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) || ::fsync(file.get()) != 0 ||
      ::rename(fresh.c_str(), path.c_str()) != 0)
    return Err(io::last_error("write " + path));
  return {};
}

Result<void, Failure> forget_clock(const std::string& data, io::SystemClock& clock) {
  clock.resume();
  clock.advance(-ahead(clock));
  return save_clock(data, clock);
}

}  // namespace reef::app
