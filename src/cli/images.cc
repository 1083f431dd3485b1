#include "cli/images.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "base/encoding.h"
#include "base/text.h"
#include "cli/client.h"
#include "cli/terminal.h"

namespace reef::cli {
namespace {

using wire::Json;

Result<Json, CallError> ask(const Target& target, const char* method, const char* path, const Json& order) {
  const auto reply = send(target, method, path, order.is_null() ? "" : order.dump());
  if (!reply) return Err(CallError{"", "nothing answers at port " + std::to_string(target.port) + ": start it with `atoll start`"});
  const auto json = Json::parse(reply->body);
  if (!json || reply->status >= 300) return Err(CallError{"", json ? json->text("message") : reply->body});
  return *json;
}

int import_image(const Target& target, const std::string& path, const std::string& name) {
  const auto out = ask(target, "POST", "/_atoll/images", Json::object({{"path", std::filesystem::absolute(path).string()}, {"name", name}}));
  if (!out) return complain(out.error());
  for (const Json& one : (*out)["images"].as_array()) std::printf("%s\n", one.as_string().c_str());
  return 0;
}

std::string size_text(std::int64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.1f MB", static_cast<double>(bytes) / 1e6);
  return text;
}

int list_images(const Target& target) {
  const auto out = ask(target, "GET", "/_atoll/images", Json());
  if (!out) return complain(out.error());
  for (const Json& one : (*out)["images"].as_array()) {
    std::vector<std::string> tags;
    for (const Json& tag : one["tags"].as_array()) tags.push_back(tag.as_string());
    std::printf("%-40s %-20s %s %10s  %s\n", one.text("repository").c_str(), tags.empty() ? "-" : join(tags, ",").c_str(), one.text("digest").substr(7, 12).c_str(),
                size_text(one["bytes"].as_int().value_or(0)).c_str(), one.text("pushed").c_str());
  }
  return 0;
}

int remove_image(const Target& target, const std::string& name) {
  const auto out = ask(target, "DELETE", "/_atoll/images", Json::object({{"name", name}}));
  return out ? 0 : complain(out.error());
}

int exec(const Target& target, const std::string& task, const std::string& container, const std::vector<std::string>& command, bool interactive) {
  Json words = Json::array();
  for (const std::string& word : command) words.push_back(word);
  if (interactive) {
    const char* terminal = std::getenv("TERM");
    const auto out = ask(target, "POST", "/_atoll/exec",
                         Json::object({{"task", task}, {"container", container}, {"command", std::move(words)}, {"interactive", true}, {"terminal", terminal ? terminal : "xterm"}}));
    if (!out) return complain(out.error());
    const auto code = run_terminal(out->text("url"), out->text("token"));
    return code ? *code : complain({"", code.error().message});
  }
  const auto out = ask(target, "POST", "/_atoll/exec", Json::object({{"task", task}, {"container", container}, {"command", std::move(words)}}));
  if (!out) return complain(out.error());
  const std::string printed = base64_decode(out->text("stdout")).value_or(""), complaints = base64_decode(out->text("stderr")).value_or("");
  std::fwrite(printed.data(), 1, printed.size(), stdout);
  std::fwrite(complaints.data(), 1, complaints.size(), stderr);
  return static_cast<int>((*out)["exitCode"].as_int().value_or(1));
}

}  // namespace

void add_image_commands(CLI::App& app, int& status) {
  static Target target;
  static std::string path, name, task, container;
  CLI::App* image = app.add_subcommand("image", "Keep container images for ECS: import, list, remove.");
  image->add_option("--port", target.port, "where atoll listens")->capture_default_str()->envname("ATOLL_PORT");
  image->require_subcommand(1);
  CLI::App* import = image->add_subcommand("import", "Take in an OCI archive or layout, or what `docker save` writes.");
  import->fallthrough();
  import->add_option("path", path, "a tar, plain or compressed, or a folder")->required()->check(CLI::ExistingPath);
  import->add_option("--name", name, "repository:tag, instead of the archive's own name");
  import->callback([&] { status = import_image(target, path, name); });
  image->add_subcommand("list", "List images.")->fallthrough()->callback([&] { status = list_images(target); });
  CLI::App* remove = image->add_subcommand("remove", "Forget an image.");
  remove->fallthrough();
  remove->add_option("name", name, "repository:tag or repository@sha256:...")->required();
  remove->callback([&] { status = remove_image(target, name); });

  CLI::App* run = app.add_subcommand("exec", "Run a command in a container of a running ECS task.");
  run->add_option("--port", target.port, "where atoll listens")->capture_default_str()->envname("ATOLL_PORT");
  static bool interactive = false;
  run->add_flag("-i,--interactive,-t,--tty", interactive, "with a terminal; so it is anyway when this command has one");
  run->add_option("--container", container, "which, when the task has several");
  run->add_option("task", task, "its id or ARN")->required();
  run->prefix_command();  // what follows the task is the command, its options included
  run->callback([&, run] { status = exec(target, task, container, run->remaining(), interactive || (::isatty(0) && ::isatty(1))); });
}

}  // namespace reef::cli
