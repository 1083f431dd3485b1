// The extensions of one environment: who registered, for what, and the events that wait for them.
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/task.h"

namespace reef::function {

class Extensions {
 public:
  // The new extension's identifier.
  std::string add(std::string name, bool wants_invoke, bool wants_shutdown, Random& random);
  bool known(std::string_view id) const { return extensions_.contains(std::string(id)); }
  // Waits for the next event, JSON; empty when the environment ends.
  Task<std::string> next(std::string id);
  // Every extension that registered waits for an event: its part of init or of the invocation is done.
  bool all_waiting() const;
  std::size_t size() const { return extensions_.size(); }
  bool empty() const { return extensions_.empty(); }
  bool wants_shutdown() const;

  void publish_invoke(const std::string& json);
  void publish_shutdown(const std::string& json);
  void end();  // nobody waits any longer

 private:
  struct Extension {
    std::string name;
    bool wants_invoke = false, wants_shutdown = false;
    std::deque<std::string> events;
    Later<std::string>* waiting = nullptr;
  };
  void publish(Extension& extension, const std::string& json);
  std::map<std::string, Extension> extensions_;
  bool ended_ = false;
};

}  // namespace reef::function
