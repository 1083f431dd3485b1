// Rotation by functions: four steps, each an invocation, in the background; started by calls and by the clock.
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/rotate-secrets_lambda-functions.html
#pragma once

#include <string>

#include "engine/delivery/deliveries.h"
#include "service/secretsmanager/secretsmanager.h"

namespace reef::service::secretsmanager {

class Rotation {
 public:
  // How often the function is tried before this rotation counts as failed.
  static constexpr std::uint32_t kAttemptsMax = 5;

  Rotation(aws::Caller& caller, delivery::Deliveries& deliveries) : caller_(caller), deliveries_(deliveries) {}
  void start();
  void stop() { stopping_ = true; }

  // Marks the version pending and begins its steps. The secret is saved.
  void begin(Secret& secret, std::string version_id, Time now);
  // Tries the rotation without rotating: the function's testSecret step, once, on a pending version that is removed
  // afterwards. The secret is saved.
  void begin_test(Secret& secret, std::string version_id, Time now);
  // Whether the function can be invoked at all; AWS's error when not.
  Task<Reply<void>> check_function(const Call& call, std::string function);

 private:
  void arm();
  void start_due(Time now);
  Task<delivery::Verdict> attempt(const delivery::Entry& entry);
  Task<void> test(Call call, std::string arn, std::string version_id);
  void queue(const Secret& secret, const std::string& version_id, std::string_view what);
  aws::Caller& caller_;
  delivery::Deliveries& deliveries_;
  bool stopping_ = false;
};

// When the secret is to be rotated next, by its rules; nothing without any.
std::optional<Time> next_rotation(const model::RotationRulesType& rules, Time last, Time now);
// AWS's error for rules that contradict themselves.
Reply<void> check_rules(const model::RotationRulesType& rules);

}  // namespace reef::service::secretsmanager
