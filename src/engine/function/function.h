// What the function engine runs and what comes of it. Nothing here knows how a function is configured or stored.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "engine/function/pipe.h"

namespace reef::function {

enum class Language : std::uint8_t { kNode, kPython, kProvided };

// Immutable: a change of code or configuration is another Version with another `id`.
struct Version {
  std::string id;             // environments are shared by equal ids
  std::string function;       // whose concurrency it counts against: "<account>/<region>/<name>"
  std::string account, region, name, number;  // number: "$LATEST" or "7"
  std::string runtime;        // "nodejs20.x"
  Language language = Language::kProvided;
  std::string handler;
  std::string code;           // folder below Options::folder
  std::string layers;         // folder below Options::folder, empty when none
  std::vector<std::pair<std::string, std::string>> env;  // the function's own and what the service adds
  Duration timeout = 3s;
  std::uint32_t memory_mib = 128;
  std::uint32_t tmp_mib = 512;
  std::string log_group;
  bool json_logs = false;
  bool traced = false;        // its lines name the trace
};
using VersionPtr = std::shared_ptr<const Version>;

struct Invocation {
  std::string request_id;
  std::string payload;
  std::string invoked_arn;
  std::string client_context;  // JSON
  std::string trace_id;
  bool wants_stream = false;
};

struct Outcome {
  std::string payload;
  bool failed = false;         // the payload describes an error of the function
  std::string content_type = "application/json";
  std::string log_tail;        // the last 4 KB of what was logged
  // A streamed answer: the payload comes out of here instead, and its end may still be a failure.
  std::shared_ptr<Pipe> stream;
};

enum class Refusal {
  kReservedConcurrency,  // the function's own limit
  kAccountConcurrency,
  kTooManyWaiting,       // every environment this machine may have is busy and the line is full
  kStopping,
};

// Where lines that functions print go, and the lines about them. Called on the control shard.
class LogSink {
 public:
  virtual ~LogSink() = default;
  virtual void write(const Version& version, std::string_view stream, Time time, std::string_view message) = 0;
};

}  // namespace reef::function
