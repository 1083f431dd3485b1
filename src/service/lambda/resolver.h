// From a name to what runs: follows aliases, rolls their dice, and keeps what it found until a record changes.
#pragma once

#include <optional>

#include "base/random.h"
#include "base/text.h"
#include "engine/function/function.h"
#include "service/lambda/repository.h"

namespace reef::service::lambda {

struct Target {
  FunctionName name;  // as asked for
  function::VersionPtr version;
  std::optional<std::uint32_t> reserved;
  std::uint32_t reserved_by_all = 0;
};

class Resolver {
 public:
  explicit Resolver(const Repository& repository) : repository_(repository) {}
  Reply<Target> resolve(const FunctionName& name, Random& random);

 private:
  struct Known {
    function::VersionPtr version;
    std::optional<std::uint32_t> reserved;
  };
  Reply<std::string> pick_version(const FunctionName& name, Random& random) const;
  const Repository& repository_;
  std::uint64_t generation_ = 0;
  TextMap<Known> known_;
  TextMap<std::uint32_t> reserved_;  // by account and region
};

bool is_version_number(std::string_view qualifier);

}  // namespace reef::service::lambda
