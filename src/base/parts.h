// The parts a process is wired from, found by type. `app` adds each engine once; a service takes what it needs
// in its constructor. This keeps wiring out of everybody's way: a new engine edits no list.
#pragma once

#include <typeindex>
#include <unordered_map>

#include "base/check.h"

namespace reef {

class Parts {
 public:
  template <class T>
  void add(T& part) {
    CHECK(parts_.emplace(std::type_index(typeid(T)), &part).second);
  }
  // Aborts when it was not added: wiring is wrong, not input.
  template <class T>
  T& get() const {
    const auto found = parts_.find(std::type_index(typeid(T)));
    CHECK(found != parts_.end());
    return *static_cast<T*>(found->second);
  }

 private:
  std::unordered_map<std::type_index, void*> parts_;
};

}  // namespace reef
