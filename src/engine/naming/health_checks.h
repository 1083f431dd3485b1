// Health checks that really look: each probes its endpoint at its interval, and flips after as many results in a row as its
// threshold says. Calculated ones follow their children, alarms what they are told. On the control shard; outcomes are
// cells that the DNS server reads.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/naming/health_cell.h"
#include "engine/naming/probe.h"
#include "engine/naming/resolver.h"

namespace reef::naming {

struct HealthDefinition {
  enum class Kind { kEndpoint, kCalculated, kAlarm };
  Kind kind = Kind::kEndpoint;
  ProbeTarget target;         // without an address: `target.host` is looked up each time
  Duration interval = 30s;
  int threshold = 3;
  bool inverted = false, disabled = false;
  std::vector<std::string> children;
  int children_threshold = 0;  // calculated: healthy with at least so many healthy children
  std::string alarm;           // "<account>/<region>/<name>"
  bool healthy_without_data = true;
};

// The state machine of one endpoint: pure.
struct HealthState {
  bool healthy = true;
  int against = 0;  // results in a row that contradict `healthy`
  // Whether it flipped.
  bool add(bool ok, int threshold) {
    against = ok == healthy ? 0 : against + 1;
    if (against < threshold) return false;
    healthy = ok;
    against = 0;
    return true;
  }
};

struct Observation {
  std::string text;  // "Success: HTTP Status Code 200, OK"
  Time time{};
};

class HealthChecks {
 public:
  HealthChecks(Zones& zones) : cells_(zones.health()) {}
  ~HealthChecks();
  // Names are looked up by this one; call before start().
  void set_resolver(Resolver* resolver) { resolver_ = resolver; }
  // Endpoints in sandboxes are reached through this; call before start().
  void set_dial(Probe::Dial dial) { dial_ = std::move(dial); }
  void put(const std::string& id, HealthDefinition definition);  // replaces; looks at once
  void erase(std::string_view id);
  void clear();
  void stop();
  bool healthy(std::string_view id) const;
  // The last result and the last failure; empty texts when there was none.
  Observation last(std::string_view id) const;
  Observation last_failure(std::string_view id) const;
  // "OK", "ALARM" or "INSUFFICIENT_DATA".
  void set_alarm(std::string_view alarm, std::string_view state);
  // Those that checks follow.
  std::vector<std::string> alarms() const;

 private:
  struct Check {
    HealthDefinition definition;
    HealthState state;
    std::shared_ptr<HealthCell> cell;
    std::unique_ptr<Probe> probe;
    io::Reactor::TimerId timer = 0;
    std::uint64_t number = 0;  // of this definition: late answers for an older one are dropped
    Observation last, last_failure;
  };
  void look(const std::string& id);
  void look_at(const std::string& id, std::uint64_t number, ProbeTarget target);
  void take(const std::string& id, std::uint64_t number, ProbeResult result);
  void settle(const std::string& id, Check& check);
  void settle_parents(const std::string& child, int depth);
  bool children_healthy(const Check& check) const;
  Check* find(const std::string& id, std::uint64_t number);

  HealthCells& cells_;
  Resolver* resolver_ = nullptr;
  Probe::Dial dial_;
  std::map<std::string, Check, std::less<>> checks_;
  std::map<std::string, std::string, std::less<>> alarms_;
  std::uint64_t next_number_ = 1;
  bool stopped_ = false;
};

}  // namespace reef::naming
