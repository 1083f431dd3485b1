#include "app/images_admin.h"

#include <fmt/format.h>

#include "app/json_reply.h"
#include "base/encoding.h"
#include "base/random.h"
#include "engine/session/terminal.h"
#include "engine/store/shard.h"
#include "gateway/identify.h"
#include "wire/json.h"

namespace reef::app {
namespace {

using wire::Json;
constexpr std::size_t kOutputBytesMax = 8 << 20;


Json list(const image::Images& images) {
  Json out = Json::array();
  for (const auto& [name, repository] : images.all())
    for (const auto& [digest, image] : repository.images) {
      Json tags = Json::array();
      for (const auto& [tag, of] : repository.tags)
        if (of == digest) tags.push_back(tag);
      out.push_back(Json::object({{"repository", name}, {"tags", std::move(tags)}, {"digest", digest}, {"bytes", image.bytes}, {"pushed", format_iso8601(image.pushed)}}));
    }
  return Json::object({{"images", std::move(out)}});
}

// POST {"path": "/where/it/is.tar", "name": "orders:v1"}, DELETE {"name": "orders:v1"}.
Task<http::Response> serve_images(image::Images& images, std::string method, Json order) {
  if (method == "GET") co_return json_reply(list(images));
  if (method == "POST") {
    if (!order.text("path").starts_with('/')) co_return problem("path must be absolute");
    const auto imported = co_await images.import(order.text("path"), order.text("name"));
    if (!imported) co_return problem(imported.error().message);
    Json names = Json::array();
    for (const std::string& name : *imported) names.push_back(name);
    co_return json_reply(Json::object({{"images", std::move(names)}}));
  }
  if (method != "DELETE") co_return problem("GET, POST or DELETE", 405);
  const auto reference = image::parse_reference(order.text("name"));
  if (!reference) co_return problem(fmt::format("'{}' is no name of an image", order.text("name")));
  if (!images.remove(*reference)) co_return problem(fmt::format("there is no image {}", reference->text()), 404);
  co_await store::Shard::control().committed();
  co_return json_reply(Json::object());
}

// POST {"task": id, "container": name or "", "command": [...]}: runs it and gives its output (base64) and exit code. With
// "interactive": true, where to open a session with it, as of ExecuteCommand, that also tells the exit code.
Task<http::Response> serve_exec(task::Tasks& tasks, session::Sessions& sessions, Json order) {
  std::string id = order.text("task");
  id = id.substr(id.rfind('/') == std::string::npos ? 0 : id.rfind('/') + 1);
  const task::LiveTask* task = tasks.find(id);
  if (!task) co_return problem(fmt::format("no task {} runs here", id), 404);
  std::size_t container = 0;
  const std::string& name = order.text("container");
  while (container < task->plan.containers.size() && !name.empty() && task->plan.containers[container].name != name) ++container;
  if (container == task->plan.containers.size()) co_return problem(fmt::format("the task has no container {}", name), 404);
  if (name.empty() && task->plan.containers.size() > 1) co_return problem("the task has several containers; name one with --container");
  sandbox::Run run;
  for (const Json& word : order["command"].as_array()) run.argv.push_back(word.as_string());
  if (run.argv.empty()) co_return problem("command must not be empty");
  if (const auto spec = tasks.environment_of(id, container)) {
    run.env = spec->env;
    run.cwd = spec->cwd;
  }
  if (order["interactive"].as_bool()) {
    if (!order.text("terminal").empty()) run.env.push_back("TERM=" + order.text("terminal"));
    const auto invitation = session::open_terminal(sessions, tasks, {.session = "exec-" + make_token(thread_random(), 17), .task = id, .container = container, .run = run, .tells_code = true});
    if (!invitation) co_return problem(invitation.error().message, 500);
    co_return json_reply(Json::object({{"url", invitation->url}, {"token", invitation->token}}));
  }
  struct State {
    std::string out, err;
    Later<sandbox::Exit> exit;
  };
  const auto state = std::make_shared<State>();
  const auto number = tasks.exec(id, container, run, {
      .on_output = [state](sandbox::Stream stream, std::string_view bytes) {
        std::string& into = stream == sandbox::Stream::kOut ? state->out : state->err;
        into += bytes.substr(0, kOutputBytesMax - std::min(kOutputBytesMax, into.size()));
      },
      .on_exit = [state](const sandbox::Exit& exit) { state->exit.set(exit); }});
  if (!number) co_return problem("the container does not run", 409);
  const sandbox::Exit exit = co_await state->exit;
  if (!exit.start_failure.empty()) co_return problem(exit.start_failure);
  co_return json_reply(Json::object({{"exitCode", exit.signal ? 128 + exit.signal : exit.code}, {"stdout", base64_encode(state->out)}, {"stderr", base64_encode(state->err)}}));
}

Task<http::Response> serve(image::Images& images, task::Tasks& tasks, session::Sessions& sessions, http::Request& request) {
  if (gateway::is_foreign_page(request)) co_return problem("pages of other sites may not steer atoll", 403);
  const auto body = co_await http::read_all(*request.body, 1 << 20);
  auto order = body && !body->empty() ? Json::parse(*body) : Json();
  if (!order) co_return problem("the body must be JSON");
  const bool is_exec = request.path == "/_atoll/exec";
  co_return co_await store::on(store::Shard::control(), [&] { return is_exec ? serve_exec(tasks, sessions, *order) : serve_images(images, request.method, *order); });
}

}  // namespace

gateway::SideDoor make_images_admin(image::Images& images, task::Tasks& tasks, session::Sessions& sessions) {
  return {.wants = [](const http::Request& request) { return request.path == "/_atoll/images" || request.path == "/_atoll/exec"; },
          .serve = [&images, &tasks, &sessions](http::Request& request) { return serve(images, tasks, sessions, request); }};
}

}  // namespace reef::app
