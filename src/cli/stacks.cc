#include "cli/stacks.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <thread>

#include "base/time.h"
#include "cli/client.h"
#include "cli/package.h"

namespace reef::cli {
namespace {

using wire::Json;

struct Colours {
  const char *bold = "", *green = "", *red = "", *dim = "", *plain = "";
};
Colours colours() {
  if (!::isatty(STDOUT_FILENO) || std::getenv("NO_COLOR")) return {};
  return {"\x1b[1m", "\x1b[32m", "\x1b[31m", "\x1b[2m", "\x1b[0m"};
}

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// A live table of resources on a terminal; a line per change elsewhere.
class Progress {
 public:
  void show(const Json& events) {
    // Newest first from the API; older ones were shown already.
    std::vector<const Json*> fresh;
    for (const Json& event : events.as_array()) {
      if (event.text("EventId") == last_) break;
      fresh.push_back(&event);
    }
    if (fresh.empty()) return;
    last_ = fresh.front()->text("EventId");
    for (auto at = fresh.rbegin(); at != fresh.rend(); ++at) {
      const Json& event = **at;
      const std::string& id = event.text("LogicalResourceId");
      Row& row = rows_[id];
      if (row.status.empty()) order_.push_back(id);
      const bool is_news = row.status != event.text("ResourceStatus");
      row.type = event.text("ResourceType");
      row.status = event.text("ResourceStatus");
      row.reason = event.text("ResourceStatusReason");
      if (!live_ && is_news) print(id, row);
    }
    if (live_) redraw();
  }

 private:
  struct Row {
    std::string type, status, reason;
  };
  void print(const std::string& id, const Row& row) {
    const Colours c = colours();
    const bool bad = row.status.find("FAILED") != std::string::npos || row.status.find("ROLLBACK") != std::string::npos;
    const bool done = row.status.ends_with("COMPLETE");
    std::printf("  %s%-28s%s %-34s %s%s%s%s%s%s\n", bad ? c.red : "", id.c_str(), c.plain, row.type.c_str(), bad ? c.red : done ? c.green : c.dim,
                row.status.c_str(), c.plain, bad && !row.reason.empty() ? ": " : "", bad ? row.reason.c_str() : "", live_ ? "\x1b[K" : "");
  }
  void redraw() {
    if (drawn_) std::printf("\x1b[%zuA", drawn_);
    for (const std::string& id : order_) print(id, rows_[id]);
    drawn_ = order_.size();
    std::fflush(stdout);
  }
  bool live_ = ::isatty(STDOUT_FILENO);
  std::string last_;
  std::map<std::string, Row> rows_;
  std::vector<std::string> order_;
  std::size_t drawn_ = 0;
};

Result<std::string, CallError> stack_status(const Target& target, const std::string& name, Json* stack = nullptr) {
  const auto reply = call(target, "cloudformation", "DescribeStacks", Json::object({{"StackName", name}}));
  if (!reply) return Err(reply.error());
  const Json& one = (*reply)["Stacks"].at(0);
  if (stack) *stack = one;
  return one.text("StackStatus");
}

// Shows events until the stack rests; gives its last status.
std::string follow(const Target& target, const std::string& name, const std::string& token, Progress& progress) {
  for (int polls = 0;; ++polls) {
    const auto events = call(target, "cloudformation", "DescribeStackEvents", Json::object({{"StackName", name}}));
    if (events) {
      Json mine = Json::array();
      for (const Json& event : (*events)["StackEvents"].as_array())
        if (event.text("ClientRequestToken") == token) mine.push_back(event);
      progress.show(mine);
    }
    const auto status = stack_status(target, name);
    if (!status) return "DELETE_COMPLETE";
    if (!status->ends_with("IN_PROGRESS")) {
      if (events) {
        const auto last = call(target, "cloudformation", "DescribeStackEvents", Json::object({{"StackName", name}}));
        Json mine = Json::array();
        if (last)
          for (const Json& event : (*last)["StackEvents"].as_array())
            if (event.text("ClientRequestToken") == token) mine.push_back(event);
        progress.show(mine);
      }
      return *status;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(polls < 100 ? 20 : 250));
  }
}

struct DeployOptions {
  std::string path = "template.yaml", stack;
  std::vector<std::string> parameters;
  Target target;
};

int deploy(const DeployOptions& options) {
  const Colours c = colours();
  const auto start = std::chrono::steady_clock::now();
  const auto document = package_template(options.target, options.path, [&](const std::string& what) { std::printf("  %s%s%s\n", c.dim, what.c_str(), c.plain); });
  if (!document) return complain({"", document.error()});
  Json parameters = Json::array();
  for (const std::string& parameter : options.parameters) {
    const auto equals = parameter.find('=');
    if (equals == std::string::npos) return complain({"", "--parameter takes Name=Value, not '" + parameter + "'"});
    parameters.push_back(Json::object({{"ParameterKey", parameter.substr(0, equals)}, {"ParameterValue", parameter.substr(equals + 1)}}));
  }
  const std::string token = "deploy-" + std::to_string(std::chrono::system_clock::now().time_since_epoch().count());
  Json input = Json::object({{"StackName", options.stack}, {"TemplateBody", document->dump()}, {"Parameters", parameters}, {"ClientRequestToken", token},
                             {"Capabilities", Json::array({"CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"})}});
  const auto existing = stack_status(options.target, options.stack);
  if (existing && (*existing == "ROLLBACK_COMPLETE" || *existing == "CREATE_FAILED" || *existing == "ROLLBACK_FAILED")) {
    // A first creation that failed leaves a stack that can only be deleted.
    Progress ignored;
    static_cast<void>(call(options.target, "cloudformation", "DeleteStack", Json::object({{"StackName", options.stack}, {"ClientRequestToken", token + "-clean"}})));
    follow(options.target, options.stack, token + "-clean", ignored);
  }
  const bool update = existing && !existing->starts_with("ROLLBACK") && *existing != "CREATE_FAILED" && *existing != "DELETE_COMPLETE";
  const auto started = call(options.target, "cloudformation", update ? "UpdateStack" : "CreateStack", std::move(input));
  Progress progress;
  std::string status = "UPDATE_COMPLETE";
  if (!started && started.error().message.find("No updates are to be performed") != std::string::npos) {
    std::printf("  nothing changed\n");
  } else if (!started) {
    return complain(started.error());
  } else {
    status = follow(options.target, options.stack, token, progress);
  }
  const bool good = status == "CREATE_COMPLETE" || status == "UPDATE_COMPLETE";
  std::printf("%s%s%s %s %s%.1f s%s\n", good ? c.green : c.red, status.c_str(), c.plain, options.stack.c_str(), c.dim, seconds_since(start), c.plain);
  Json stack;
  if (stack_status(options.target, options.stack, &stack)) {
    if (!good && !stack.text("StackStatusReason").empty()) std::fprintf(stderr, "atoll: %s\n", stack.text("StackStatusReason").c_str());
    for (const Json& output : stack["Outputs"].as_array())
      std::printf("  %s%-20s%s %s\n", c.bold, output.text("OutputKey").c_str(), c.plain, output.text("OutputValue").c_str());
  }
  return good ? 0 : 1;
}

int destroy(const Target& target, const std::string& stack) {
  const Colours c = colours();
  const auto start = std::chrono::steady_clock::now();
  Json found;
  if (const auto status = stack_status(target, stack, &found); !status) return complain(status.error());
  const std::string token = "destroy-" + std::to_string(std::chrono::system_clock::now().time_since_epoch().count());
  const auto started = call(target, "cloudformation", "DeleteStack", Json::object({{"StackName", stack}, {"ClientRequestToken", token}}));
  if (!started) return complain(started.error());
  Progress progress;
  // By id: the name stops meaning anything once the stack is gone.
  const std::string status = follow(target, found.text("StackId"), token, progress);
  const bool good = status == "DELETE_COMPLETE";
  if (Json rest; !good && stack_status(target, found.text("StackId"), &rest)) std::fprintf(stderr, "atoll: %s\n", rest.text("StackStatusReason").c_str());
  std::printf("%s%s%s %s %s%.1f s%s\n", good ? c.green : c.red, status.c_str(), c.plain, stack.c_str(), c.dim, seconds_since(start), c.plain);
  return good ? 0 : 1;
}

// A function's group by its name, or by "<stack>-<logical id>" as the generated name starts with it; or any group.
int show_logs(const Target& target, const std::string& wanted, bool follow_new, int count) {
  std::string group;
  const auto groups = call(target, "logs", "DescribeLogGroups", Json::object());
  if (!groups) return complain(groups.error());
  std::vector<std::string> names;
  for (const Json& one : (*groups)["logGroups"].as_array()) names.push_back(one.text("logGroupName"));
  for (const std::string& name : names)
    if (name == wanted || name == "/aws/lambda/" + wanted || (group.empty() && name.starts_with("/aws/lambda/" + wanted))) group = name;
  if (group.empty()) {
    std::fprintf(stderr, "atoll: no log group for '%s'%s\n", wanted.c_str(), names.empty() ? ": nothing was logged yet" : "; there are:");
    for (const std::string& name : names) std::fprintf(stderr, "  %s\n", name.c_str());
    return 1;
  }
  std::string token;
  std::vector<std::string> lines;
  for (;;) {
    Json input = Json::object({{"logGroupName", group}});
    if (!token.empty()) input.set("nextToken", token);
    const auto reply = call(target, "logs", "FilterLogEvents", std::move(input));
    if (!reply) return complain(reply.error());
    for (const Json& event : (*reply)["events"].as_array()) {
      std::string text = event.text("message");
      while (text.ends_with('\n')) text.pop_back();
      lines.push_back(format_iso8601(from_millis(event["timestamp"].as_int().value_or(0)), true) + "  " + text);
    }
    token = reply->text("nextToken");
    if (token.empty()) break;
  }
  const std::size_t from = lines.size() > static_cast<std::size_t>(count) ? lines.size() - static_cast<std::size_t>(count) : 0;
  for (std::size_t i = from; i < lines.size(); ++i) std::printf("%s\n", lines[i].c_str());
  std::size_t shown = lines.size();
  while (follow_new) {
    std::fflush(stdout);
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    const auto reply = call(target, "logs", "FilterLogEvents", Json::object({{"logGroupName", group}}));
    if (!reply) return complain(reply.error());
    const auto& events = (*reply)["events"].as_array();
    for (; shown < events.size(); ++shown)
      std::printf("%s  %s\n", format_iso8601(from_millis(events[shown]["timestamp"].as_int().value_or(0)), true).c_str(), events[shown].text("message").c_str());
  }
  return 0;
}

}  // namespace

void add_stack_commands(CLI::App& app, int& status) {
  static DeployOptions options;
  CLI::App* deploy_command = app.add_subcommand("deploy", "Deploy a CloudFormation or SAM template with the local code it names.");
  deploy_command->add_option("template", options.path, "template file (YAML or JSON)")->capture_default_str();
  deploy_command->add_option("--stack", options.stack, "stack name; the template's folder by default");
  deploy_command->add_option("--parameter", options.parameters, "Name=Value, once per parameter");
  deploy_command->add_option("--port", options.target.port, "where atoll listens")->capture_default_str()->envname("ATOLL_PORT");
  deploy_command->add_option("--region", options.target.region, "region")->capture_default_str()->envname("AWS_REGION");
  deploy_command->footer("Example:  atoll deploy examples/orders/template.yaml --stack orders --parameter BulkDiscountPercent=20");
  deploy_command->callback([&status] {
    if (options.stack.empty()) options.stack = std::filesystem::absolute(options.path).parent_path().filename().string();
    status = deploy(options);
  });

  static std::string stack;
  static Target target;
  CLI::App* destroy_command = app.add_subcommand("destroy", "Delete a stack and everything in it.");
  destroy_command->add_option("stack", stack, "stack name")->required();
  destroy_command->add_option("--port", target.port, "where atoll listens")->capture_default_str()->envname("ATOLL_PORT");
  destroy_command->add_option("--region", target.region, "region")->capture_default_str()->envname("AWS_REGION");
  destroy_command->callback([&status] { status = destroy(target, stack); });

  static std::string group;
  static bool follow_new = false;
  static int count = 200;
  CLI::App* logs_command = app.add_subcommand("logs", "Show what a function printed, or any log group.");
  logs_command->add_option("name", group, "function name, its start (\"orders-Api\"), or a log group")->required();
  logs_command->add_flag("-f,--follow", follow_new, "go on as lines come");
  logs_command->add_option("-n,--lines", count, "how many of the last lines")->capture_default_str();
  logs_command->add_option("--port", target.port, "where atoll listens")->capture_default_str()->envname("ATOLL_PORT");
  logs_command->add_option("--region", target.region, "region")->capture_default_str()->envname("AWS_REGION");
  logs_command->callback([&status] { status = show_logs(target, group, follow_new, count); });
}

}  // namespace reef::cli
