#include "cli/watch.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "base/time.h"

namespace reef::cli {
namespace {

using wire::Json;

std::string last_part(const std::string& arn) { return arn.substr(arn.rfind('/') + 1); }

class Frame {
 public:
  explicit Frame(bool colours) : colours_(colours) {}
  void line(const std::string& text) { text_ += text + "\n"; }
  // Green when all is well, red otherwise.
  std::string mark(bool good, const std::string& text) const {
    if (!colours_) return text;
    return (good ? "\033[32m" : "\033[31m") + text + "\033[0m";
  }
  std::string bold(const std::string& text) const { return colours_ ? "\033[1m" + text + "\033[0m" : text; }
  const std::string& text() const { return text_; }

 private:
  bool colours_;
  std::string text_;
};

// What a metric summed up to since the watch began; rates are the differences between two looks.
class Rates {
 public:
  explicit Rates(Target target) : target_(std::move(target)), from_(std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()) - Duration(60s)) {}
  double per_second(const std::string& metric, const std::string& group, const std::string& balancer) {
    Json dimensions = Json::array({Json::object({{"Name", "TargetGroup"}, {"Value", group}}), Json::object({{"Name", "LoadBalancer"}, {"Value", balancer}})});
    const auto reply = call(target_, "cloudwatch", "GetMetricStatistics",
                            Json::object({{"Namespace", "AWS/ApplicationELB"}, {"MetricName", metric}, {"Dimensions", std::move(dimensions)}, {"StartTime", to_seconds(from_)},
                                          {"EndTime", to_seconds(from_) + 30LL * 86400}, {"Period", 2592000}, {"Statistics", Json::array({Json("Sum")})}}));
    double sum = 0;
    if (reply)
      for (const Json& point : (*reply)["Datapoints"].as_array()) sum += point["Sum"].as_double().value_or(0);
    const auto now = std::chrono::steady_clock::now();
    auto& last = seen_[metric + group];
    const double seconds = std::chrono::duration<double>(now - last.second).count();
    const bool first = last.second == std::chrono::steady_clock::time_point{};
    const double rate = first || seconds <= 0 ? 0 : std::max(0.0, (sum - last.first) / seconds);
    last = {sum, now};
    return rate;
  }

 private:
  Target target_;
  Time from_;
  std::map<std::string, std::pair<double, std::chrono::steady_clock::time_point>> seen_;
};

void show_services(const Target& target, Frame& frame) {
  const auto clusters = call(target, "ecs", "ListClusters", Json::object());
  if (!clusters || (*clusters)["clusterArns"].size() == 0) return;
  frame.line(frame.bold(fmt::format("{:<40} {:>9} {:>8} {:>8}  {}", "SERVICE", "RUNNING", "DESIRED", "PENDING", "DEPLOYMENT")));
  for (const Json& cluster : (*clusters)["clusterArns"].as_array()) {
    const auto listed = call(target, "ecs", "ListServices", Json::object({{"cluster", cluster}, {"maxResults", 100}}));
    if (!listed) continue;
    const auto& arns = (*listed)["serviceArns"].as_array();
    // DescribeServices takes ten at a time.
    for (std::size_t at = 0; at < arns.size(); at += 10) {
      Json some = Json::array();
      for (std::size_t i = at; i < std::min(arns.size(), at + 10); ++i) some.push_back(arns[i]);
      const auto described = call(target, "ecs", "DescribeServices", Json::object({{"cluster", cluster}, {"services", std::move(some)}}));
      if (!described) continue;
      for (const Json& service : (*described)["services"].as_array()) {
        const auto running = service["runningCount"].as_int().value_or(0), desired = service["desiredCount"].as_int().value_or(0);
        const Json& deployment = service["deployments"].at(0);
        frame.line(fmt::format("{:<40} {} {:>8} {:>8}  {} {}", service.text("serviceName"), frame.mark(running == desired, fmt::format("{:>9}", running)), desired,
                               service["pendingCount"].as_int().value_or(0), deployment.text("rolloutState"), last_part(deployment.text("taskDefinition"))));
      }
    }
  }
  frame.line("");
}

void show_targets(const Target& target, Rates& rates, Frame& frame) {
  const auto groups = call(target, "elasticloadbalancingv2", "DescribeTargetGroups", Json::object());
  if (!groups || (*groups)["TargetGroups"].size() == 0) return;
  frame.line(frame.bold(fmt::format("{:<40} {:>9} {:>8} {:>8}  {}", "TARGET GROUP", "HEALTHY", "OF", "REQ/S", "5XX/S")));
  for (const Json& group : (*groups)["TargetGroups"].as_array()) {
    const std::string& arn = group.text("TargetGroupArn");
    const auto health = call(target, "elasticloadbalancingv2", "DescribeTargetHealth", Json::object({{"TargetGroupArn", arn}}));
    if (!health) continue;
    std::size_t healthy = 0;
    std::map<std::string, int> others;
    for (const Json& one : (*health)["TargetHealthDescriptions"].as_array()) {
      const std::string& state = one["TargetHealth"].text("State");
      if (state == "healthy") ++healthy;
      else ++others[state];
    }
    std::string balancer;
    for (const Json& one : group["LoadBalancerArns"].as_array()) balancer = one.as_string().substr(one.as_string().find("loadbalancer/") + 13);
    const std::string name = arn.substr(arn.rfind(':') + 1);
    const double requests = rates.per_second("RequestCount", name, balancer), errors = rates.per_second("HTTPCode_Target_5XX_Count", name, balancer);
    std::string rest;
    for (const auto& [state, count] : others) rest += fmt::format("  {} {}", count, state);
    const std::size_t all = (*health)["TargetHealthDescriptions"].size();
    frame.line(fmt::format("{:<40} {} {:>8} {:>8.0f}  {}{}", group.text("TargetGroupName"), frame.mark(healthy == all, fmt::format("{:>9}", healthy)), all, requests,
                           frame.mark(errors == 0, fmt::format("{:.0f}", errors)), rest));
  }
  frame.line("");
}

void show_alarms(const Target& target, Frame& frame) {
  const auto alarms = call(target, "cloudwatch", "DescribeAlarms", Json::object({{"StateValue", "ALARM"}}));
  if (!alarms) return;
  for (const Json& alarm : (*alarms)["MetricAlarms"].as_array()) frame.line(frame.mark(false, "ALARM ") + alarm.text("AlarmName"));
}

}  // namespace

int watch_status(const Target& target, int frames) {
  const bool terminal = ::isatty(STDOUT_FILENO) == 1;
  Rates rates(target);
  for (int shown = 0; frames <= 0 || shown < frames; ++shown) {
    if (shown > 0) std::this_thread::sleep_for(1s);
    Frame frame(terminal);
    if (const auto alive = send(target, "GET", "/_atoll/health"); !alive) return complain({"", "nothing answers at port " + std::to_string(target.port) + ": start it with `atoll start`"});
    show_services(target, frame);
    show_targets(target, rates, frame);
    show_alarms(target, frame);
    if (frame.text().empty()) frame.line("no services and no load balancers yet: atoll deploy examples/three-services/template.yaml");
    // Home, the frame, and whatever an earlier, longer one left below it.
    std::printf("%s%s%s", terminal ? "\033[H\033[2J" : "", frame.text().c_str(), terminal ? "\n(ctrl-c ends)\n" : "");
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace reef::cli
