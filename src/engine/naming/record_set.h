// One set of records of one name and type, as the owner of a zone gives it: values or an alias, and by which policy it
// is chosen among the sets that share its name and type.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace reef::naming {

enum class Policy : std::uint8_t { kSimple, kWeighted, kFailover, kMultivalue, kLatency, kGeolocation };

// Where somebody is; empty parts are not known. As the place of a record set, "*" as country means everywhere.
struct Location {
  std::string continent, country, subdivision;  // "EU", "DE", "CA" (of the US)
  bool operator==(const Location&) const = default;
};

struct Alias {
  std::string name;  // wire form
  bool evaluate_health = false;
  bool operator==(const Alias&) const = default;
};

struct RecordSet {
  std::string name;  // wire form, lower case
  std::uint16_t type = 0;
  std::uint32_t ttl = 60;
  std::vector<std::string> values;  // wire form
  std::optional<Alias> alias;       // instead of values
  std::string id;                   // tells sets of one name and type apart; "" for the simple policy
  Policy policy = Policy::kSimple;
  std::uint32_t weight = 0;
  bool is_primary = false;
  std::string region;
  Location location;
  std::string health_check;  // in HealthChecks; "": always healthy
};

}  // namespace reef::naming
