// Custom resources: a function of the user's makes, changes and removes something, and says so at a URL.
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref.html
#include <algorithm>

#include <fmt/format.h>

#include "aws/models/lambda.h"
#include "base/random.h"
#include "base/text.h"
#include "engine/store/shard.h"
#include "service/cloudformation/resources.h"

namespace reef::cloudformation::resources {
namespace {

using aws::Reply;
using aws::ResourceContext;
using aws::ResourceState;
using wire::Json;

constexpr std::size_t kResponseMax = 4096;
constexpr std::int64_t kTimeoutMax = 3600;

// In the words of the function, or of CloudFormation about it: nothing is put around them.
aws::Error plain_error(std::string message) { return aws::Error("", std::move(message), 400); }

// Functions are given every value as text.
Json as_texts(const Json& value) {
  if (value.is_object()) {
    Json out = Json::object();
    for (const auto& [name, member] : value.as_object()) out.set(name, as_texts(member));
    return out;
  }
  if (value.is_array()) {
    Json out = Json::array();
    for (const Json& element : value.as_array()) out.push_back(as_texts(element));
    return out;
  }
  const auto text = value.scalar_text();
  return text ? Json(*text) : value;
}

struct Request {
  std::string verb;                 // "Create", "Update", "Delete"
  std::string physical_id;          // empty at first
  const Json* properties;
  const Json* old_properties = nullptr;
};

Json event_of(const ResourceContext& context, const Request& request, const std::string& id, const std::string& url) {
  Json event = Json::object({{"RequestType", request.verb},
                             {"ServiceToken", (*request.properties)["ServiceToken"]},
                             {"ResponseURL", url},
                             {"StackId", context.stack_id},
                             {"RequestId", id},
                             {"LogicalResourceId", context.logical_id},
                             {"ResourceType", context.type}});
  if (!request.physical_id.empty()) event.set("PhysicalResourceId", request.physical_id);
  event.set("ResourceProperties", as_texts(*request.properties));
  if (request.old_properties) event.set("OldResourceProperties", as_texts(*request.old_properties));
  return event;
}

struct Response {
  std::string physical_id;
  Json data = Json::object();
};

Reply<Response> read_response(const std::string& text, const std::string& request_id, const std::string& known_id) {
  if (text.size() > kResponseMax) return Err(plain_error("Response object is too long."));
  const auto json = Json::parse(text);
  if (!json || !json->is_object()) return Err(plain_error("Invalid response object: Must be a JSON object"));
  Response out{.physical_id = json->text("PhysicalResourceId")};
  const std::string status = json->text("Status");
  if (status == "FAILED") {
    auto error = plain_error(fmt::format("Received response status [FAILED] from custom resource. Message returned: {} (RequestId: {})", json->text("Reason"), request_id));
    if (!out.physical_id.empty()) error.fields = Json::object({{"PhysicalResourceId", out.physical_id}});
    return Err(std::move(error));
  }
  if (status != "SUCCESS") return Err(plain_error("Invalid response object: Value of property Status must be one of SUCCESS, FAILED"));
  if (out.physical_id.empty()) out.physical_id = known_id;
  if (out.physical_id.empty()) return Err(plain_error("Invalid PhysicalResourceId"));
  if (const Json* const data = json->find("Data"); data && !data->is_null()) {
    if (!data->is_object()) return Err(plain_error("Invalid response object: Value of property Data must be an object"));
    out.data = *data;
  }
  return out;
}

Task<Reply<Response>> ask(const ResourceContext& context, Request request) {
  const std::string id = make_uuid(thread_random());
  const std::string url = context.signals->open(context.call, aws::Signals::Kind::kFromFunction, fmt::format("{}|{}|{}", context.stack_id, context.logical_id, id));
  aws::lambda::InvokeInput in;
  in.function_name = request.properties->text("ServiceToken");
  in.invocation_type = "Event";
  in.payload = event_of(context, request, id, url).dump();
  const auto sent = co_await context.caller.call<aws::lambda::InvokeOutput>(context.call, aws::lambda::ops::kInvoke, in);
  if (!sent) {
    context.signals->close(url);
    co_return Err(plain_error(fmt::format("{} (Service: Lambda; Status Code: {}; Error Code: {})", sent.error().message, sent.error().status, sent.error().code)));
  }
  const auto given = parse_int<std::int64_t>((*request.properties)["ServiceTimeout"].scalar_text().value_or(""));
  const auto text = co_await context.signals->next(url, 0, store::Shard::control().now() + std::chrono::seconds(given.value_or(kTimeoutMax)), context.is_cancelled);
  context.signals->close(url);
  if (!text && context.is_cancelled()) co_return Err(plain_error(request.verb == "Create" ? "Resource creation cancelled" : "Resource update cancelled"));
  if (!text)
    co_return Err(plain_error(fmt::format("CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId [{}]. If you are using the Python cfn-response "
                                          "module, you may need to update your Lambda function code so that CloudFormation can attach the updated version.", id)));
  co_return read_response(*text, id, request.physical_id);
}

std::string check(const Json& properties) {
  const Json& token = properties["ServiceToken"];
  if (token.is_string() && token.as_string().starts_with("arn:") && token.as_string().find(":sns:") != std::string::npos)
    return "a ServiceToken that is an SNS topic is not supported by this version of Atoll";
  if (const Json* const timeout = properties.find("ServiceTimeout"); timeout && !timeout->is_object()) {
    const auto seconds = parse_int<std::int64_t>(timeout->scalar_text().value_or(""));
    if (!seconds || *seconds < 1 || *seconds > kTimeoutMax) return fmt::format("/ServiceTimeout: must be a number of seconds from 1 to {}", kTimeoutMax);
  }
  return {};
}

ResourceState state_of(Response response) { return {.physical_id = std::move(response.physical_id), .attributes = std::move(response.data)}; }

// Made before anything is known of it: what is removed after a crash, or after a creation that never answered.
std::string identify(const ResourceContext& context, const Json&) { return context.generated_name(128); }

Task<Reply<ResourceState>> create(const ResourceContext& context, const Json& properties) {
  auto response = co_await ask(context, {.verb = "Create", .physical_id = {}, .properties = &properties});
  if (!response) {
    aws::Error error = std::move(response).error();
    if (error.fields.text("PhysicalResourceId").empty()) error.fields = Json::object({{"PhysicalResourceId", identify(context, properties)}});
    co_return Err(std::move(error));
  }
  co_return state_of(*std::move(response));
}

Task<Reply<ResourceState>> update(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  if (!(before["ServiceToken"] == after["ServiceToken"])) co_return Err(plain_error("Modifying service token is not allowed."));
  auto response = co_await ask(context, {.verb = "Update", .physical_id = current.physical_id, .properties = &after, .old_properties = &before});
  if (!response) co_return Err(std::move(response).error());
  co_return state_of(*std::move(response));
}

Task<Reply<void>> remove(const ResourceContext& context, const ResourceState& current, const Json& properties) {
  const auto response = co_await ask(context, {.verb = "Delete", .physical_id = current.physical_id, .properties = &properties});
  if (!response) co_return Err(response.error());
  co_return Reply<void>{};
}

}  // namespace

const aws::ResourceType kCustomResource{
    .name = "AWS::CloudFormation::CustomResource",
    .properties = {{"ServiceToken", aws::OnChange::kUpdate, true}, {"ServiceTimeout"}},
    .is_custom = true,
    .check = check,
    .create = create,
    .identify = identify,
    .update = update,
    .remove = remove,
};

}  // namespace reef::cloudformation::resources
