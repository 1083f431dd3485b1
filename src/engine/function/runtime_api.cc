#include "engine/function/runtime_api.h"

#include <fmt/format.h>

#include "base/encoding.h"
#include "wire/json.h"

namespace reef::function {
namespace {

// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html: 6 MB, as AWS counts them.
constexpr std::uint64_t kPayloadBytesMax = 6'291'556;
constexpr std::uint64_t kStreamedBytesMax = 200ull << 20;
constexpr std::uint64_t kErrorBytesMax = 1 << 20;

http::Response reply(int status, std::string body) {
  http::Response response;
  response.status = status;
  response.set("content-type", "application/json");
  response.body = std::move(body);
  return response;
}
http::Response accepted() { return reply(202, R"({"status":"OK"})"); }
http::Response refused(int status, std::string_view type, std::string_view message) {
  return reply(status, wire::Json::object({{"errorMessage", message}, {"errorType", type}}).dump());
}
http::Response wrong_request() { return refused(400, "InvalidRequestID", "Invalid request ID"); }

std::string error_type_of(const http::Request& request, std::string_view body) {
  const std::string_view header = request.header("lambda-runtime-function-error-type");
  if (!header.empty()) return percent_decode(header);
  if (const auto json = wire::Json::parse(body); json && !json->text("errorType").empty()) return json->text("errorType");
  return "Runtime.Unknown";
}

}  // namespace

Task<http::Response> RuntimeApi::serve(Self environment, http::Request& request) {
  const std::string_view path = request.path;
  const bool is_get = request.method == "GET", is_post = request.method == "POST";
  constexpr std::string_view kInvocation = "/2018-06-01/runtime/invocation/";
  if (is_get && path == "/2018-06-01/runtime/invocation/next") co_return co_await next(environment);
  if (is_post && path.starts_with(kInvocation)) {
    const std::string_view rest = path.substr(kInvocation.size());
    const std::size_t slash = rest.find('/');
    const std::string id(rest.substr(0, slash));
    const std::string_view what = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
    if (what == "response") co_return co_await response(environment, id, request);
    if (what == "error") co_return co_await error(environment, id, request);
  }
  if (is_post && path == "/2018-06-01/runtime/init/error") co_return co_await init_error(environment, request);
  if (is_get && path == "/atoll/assignment") co_return co_await assignment(environment);
  if (is_post && path == "/2020-01-01/extension/register") co_return co_await register_extension(environment, request);
  if (is_get && path == "/2020-01-01/extension/event/next") co_return co_await next_event(environment, request);
  if (is_post && path == "/2020-01-01/extension/init/error") co_return co_await extension_error(environment, request, true);
  if (is_post && path == "/2020-01-01/extension/exit/error") co_return co_await extension_error(environment, request, false);
  if (path == "/2022-07-01/telemetry") co_return refused(202, "Telemetry.NotSupported", "Telemetry API is not supported");
  if (path == "/2020-08-15/logs") co_return refused(202, "Logs.NotSupported", "Logs API is not supported");
  co_return refused(404, "NotFound", "404 page not found");
}

Task<http::Response> RuntimeApi::assignment(Self environment) {
  Later<std::string> later;
  environment->assignment_ = &later;
  if (environment->assigned_) environment->assign_now();
  std::string json = co_await later;
  if (json.empty()) co_return refused(410, "Gone", "The environment ends.");
  co_return reply(200, std::move(json));
}

Task<http::Response> RuntimeApi::next(Self environment) {
  if (environment->ended_) co_return refused(410, "Gone", "The environment ends.");
  if (environment->next_) co_return refused(403, "InvalidStateTransition", "A request for the next invocation is waiting already.");
  Later<bool> later;
  environment->next_ = &later;
  environment->note_progress();
  if (!co_await later || !environment->running_) co_return refused(410, "Gone", "The environment ends.");
  const Invocation& invocation = environment->running_->invocation;
  http::Response response = reply(200, invocation.payload);
  response.add("Lambda-Runtime-Aws-Request-Id", invocation.request_id);
  response.add("Lambda-Runtime-Deadline-Ms", std::to_string(to_millis(environment->running_->deadline)));
  response.add("Lambda-Runtime-Invoked-Function-Arn", invocation.invoked_arn);
  if (!invocation.trace_id.empty()) response.add("Lambda-Runtime-Trace-Id", invocation.trace_id);
  if (!invocation.client_context.empty()) response.add("Lambda-Runtime-Client-Context", invocation.client_context);
  co_return response;
}

Task<http::Response> RuntimeApi::response(Self environment, std::string request_id, http::Request& request) {
  const auto is_current = [&] { return environment->running_ && environment->running_->invocation.request_id == request_id && !environment->running_->streaming; };
  if (!is_current()) co_return wrong_request();
  if (equals_ignoring_case(request.header("lambda-runtime-function-response-mode"), "streaming"))
    co_return co_await stream(environment, request);
  Outcome outcome;
  if (const std::string_view type = request.header("content-type"); !type.empty()) outcome.content_type = type;
  Result<std::string, Failure> body = co_await http::read_all(*request.body, kPayloadBytesMax);
  if (!is_current()) co_return wrong_request();
  if (!body) {
    if (body.error().code != EMSGSIZE) co_return refused(400, "InvalidRequest", body.error().message);
    outcome.failed = true;
    outcome.payload = R"({"errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes).","errorType":"Function.ResponseSizeTooLarge"})";
    environment->finish(std::move(outcome), "error", "Function.ResponseSizeTooLarge");
    http::Response too_large = refused(413, "RequestEntityTooLarge", "Exceeded maximum allowed payload size (6291556 bytes).");
    too_large.close = true;
    co_return too_large;
  }
  outcome.payload = *std::move(body);
  environment->finish(std::move(outcome), {}, {});
  co_return accepted();
}

// The answer comes piece by piece. A caller that wants no stream gets it as a whole at the end.
Task<http::Response> RuntimeApi::stream(Self environment, http::Request& request) {
  auto& running = *environment->running_;
  const std::string request_id = running.invocation.request_id;
  running.streaming = true;
  const auto pipe = std::make_shared<Pipe>();
  Outcome outcome;
  outcome.content_type = request.header("content-type").empty() ? "application/octet-stream" : std::string(request.header("content-type"));
  const bool passes_on = running.invocation.wants_stream;
  if (passes_on) {
    running.stream = pipe;
    outcome.stream = pipe;
    if (const auto done = std::exchange(running.done, nullptr)) done(outcome);
  }
  const auto is_current = [&] { return environment->running_ && environment->running_->invocation.request_id == request_id; };
  std::string whole, error_type, error_body;
  std::uint64_t total = 0;
  for (;;) {
    const auto piece = co_await request.body->read();
    if (!is_current()) co_return wrong_request();
    if (!piece) {
      error_type = "Runtime.TruncatedResponse";
      break;
    }
    if (piece->empty()) break;
    total += piece->size();
    if (total > (passes_on ? kStreamedBytesMax : kPayloadBytesMax)) {
      error_type = "Function.ResponseSizeTooLarge";
      break;
    }
    if (!passes_on) whole += *piece;
    else co_await pipe->write(*piece);
    if (!is_current()) co_return wrong_request();
  }
  for (const auto& [name, value] : request.body->trailers()) {
    if (equals_ignoring_case(name, "lambda-runtime-function-error-type")) error_type = percent_decode(value);
    if (equals_ignoring_case(name, "lambda-runtime-function-error-body")) error_body = base64_decode(value).value_or(value);
  }
  outcome.failed = !error_type.empty();
  outcome.payload = outcome.failed ? (error_body.empty() ? wire::Json::object({{"errorType", error_type}}).dump() : error_body) : std::move(whole);
  environment->finish(std::move(outcome), error_type.empty() ? "" : "error", error_type);
  co_return accepted();
}

Task<http::Response> RuntimeApi::error(Self environment, std::string request_id, http::Request& request) {
  const auto is_current = [&] { return environment->running_ && environment->running_->invocation.request_id == request_id; };
  if (!is_current()) co_return wrong_request();
  const Result<std::string, Failure> body = co_await http::read_all(*request.body, kErrorBytesMax);
  if (!body) co_return refused(400, "InvalidRequest", body.error().message);
  if (!is_current()) co_return wrong_request();
  Outcome outcome;
  outcome.failed = true;
  outcome.payload = *body;
  environment->finish(std::move(outcome), "error", error_type_of(request, *body));
  co_return accepted();
}

Task<http::Response> RuntimeApi::init_error(Self environment, http::Request& request) {
  const Result<std::string, Failure> body = co_await http::read_all(*request.body, kErrorBytesMax);
  if (!body) co_return refused(400, "InvalidRequest", body.error().message);
  if (environment->ready_once_) co_return refused(403, "InvalidStateTransition", "Transition from Ready to InitError is not allowed.");
  environment->init_error_type_ = error_type_of(request, *body);
  environment->init_error_body_ = *body;
  co_return accepted();
}

Task<http::Response> RuntimeApi::register_extension(Self environment, http::Request& request) {
  const std::string name(request.header("lambda-extension-name"));
  if (name.empty()) co_return refused(400, "Extension.InvalidExtensionName", "Empty extension name");
  if (environment->ready_once_ || !environment->version_)
    co_return refused(403, "Extension.RegistrationClosed", "Extension registration closed already");
  const Result<std::string, Failure> body = co_await http::read_all(*request.body, kErrorBytesMax);
  const auto json = body ? wire::Json::parse(*body) : wire::Json::parse("");
  if (!json) co_return refused(400, "InvalidRequestFormat", "The body is not valid JSON.");
  bool wants_invoke = false, wants_shutdown = false;
  for (const wire::Json& event : (*json)["events"].as_array()) {
    if (event.as_string() == "INVOKE") wants_invoke = true;
    else if (event.as_string() == "SHUTDOWN") wants_shutdown = true;
    else co_return refused(400, "Extension.InvalidEventType", "INVALID event type: " + event.as_string());
  }
  const std::string id = environment->extensions_.add(name, wants_invoke, wants_shutdown, thread_random());
  http::Response response = reply(200, wire::Json::object({{"functionName", environment->version_->name},
                                                           {"functionVersion", environment->version_->number},
                                                           {"handler", environment->version_->handler}}).dump());
  response.add("Lambda-Extension-Identifier", id);
  co_return response;
}

Task<http::Response> RuntimeApi::next_event(Self environment, http::Request& request) {
  const std::string id(request.header("lambda-extension-identifier"));
  if (!environment->extensions_.known(id)) co_return refused(403, "Extension.UnknownExtensionIdentifier", "Unknown extension " + id);
  Task<std::string> waiting = environment->extensions_.next(id);
  environment->note_progress();
  std::string event = co_await waiting;
  if (event.empty()) co_return refused(410, "Gone", "The environment ends.");
  co_return reply(200, std::move(event));
}

Task<http::Response> RuntimeApi::extension_error(Self environment, http::Request& request, bool at_init) {
  const std::string type(request.header("lambda-extension-function-error-type"));
  if (type.empty()) co_return refused(400, "Extension.MissingHeader", "Lambda-Extension-Function-Error-Type not found");
  if (at_init && !environment->ready_once_) {
    environment->init_error_type_ = type;
    environment->init_error_body_ = wire::Json::object({{"errorType", type}, {"errorMessage", "Extension failed to initialize."}}).dump();
  }
  co_return accepted();
}

}  // namespace reef::function
