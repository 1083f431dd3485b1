// Rules with a ScheduleExpression: their targets get an event of their own when it is time.
// https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-rule-schedule.html
#pragma once

#include "base/time.h"
#include "service/eventbridge/book.h"

namespace reef::service::eventbridge {

class Router;

class Schedules {
 public:
  Schedules(Book& book, Router& router) : book_(book), router_(router) {}
  void start();
  void stop() { stopping_ = true; }
  // After any change of rules: looks at the next time anew.
  void arm();

 private:
  void fire(Time now);
  Book& book_;
  Router& router_;
  Time last_{};  // until when everything was fired
  std::uint64_t timer_ = 0;
  bool stopping_ = false;
};

// AWS's error for what is no rate or cron expression.
Reply<void> check_schedule(const std::string& expression);

}  // namespace reef::service::eventbridge
