// Structured logs: one line of JSON per event on standard error. Never hand it a secret.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.h"

namespace reef::log {

enum class Level { kDebug, kInfo, kWarn, kError };

struct Field {
  std::string_view name;
  std::variant<std::string, long long, double, bool> value;
  Field(std::string_view n, std::string_view v) : name(n), value(std::string(v)) {}
  Field(std::string_view n, const char* v) : name(n), value(std::string(v)) {}
  Field(std::string_view n, const std::string& v) : name(n), value(v) {}
  Field(std::string_view n, bool v) : name(n), value(v) {}
  Field(std::string_view n, double v) : name(n), value(v) {}
  template <class T>
    requires std::is_integral_v<T>
  Field(std::string_view n, T v) : name(n), value(static_cast<long long>(v)) {}
};

// Events below `level` are dropped. Default: kInfo.
void set_level(Level level);
bool enabled(Level level);
// log::write(log::Level::kInfo, "listening", {{"port", 4566}});
void write(Level level, std::string_view event, std::initializer_list<Field> fields = {});

inline void debug(std::string_view event, std::initializer_list<Field> fields = {}) {
  if (enabled(Level::kDebug)) write(Level::kDebug, event, fields);
}
inline void info(std::string_view event, std::initializer_list<Field> fields = {}) {
  if (enabled(Level::kInfo)) write(Level::kInfo, event, fields);
}
inline void warn(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::kWarn, event, fields);
}
inline void error(std::string_view event, std::initializer_list<Field> fields = {}) {
  write(Level::kError, event, fields);
}

}  // namespace reef::log
