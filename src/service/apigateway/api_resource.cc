// https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-restapi.html
#include <algorithm>

#include <fmt/format.h>

#include "aws/s3_object.h"
#include "aws/unknown_value.h"
#include "base/encoding.h"
#include "base/text.h"
#include "service/apigateway/resource_calls.h"
#include "service/apigateway/resources.h"

namespace reef::service::apigateway::resources {
namespace {

using aws::Reply;
using aws::ResourceContext;
using aws::ResourceState;
using wire::Json;

// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
constexpr std::size_t kDefinitionBytesMax = 6 << 20;

ResourceState api_state(const Json& api) {
  return {.physical_id = api.text("id"), .attributes = Json::object({{"RestApiId", api.text("id")}, {"RootResourceId", api.text("rootResourceId")}})};
}

Json create_input(const ResourceContext& context, const Json& properties) {
  Json input = Json::object();
  for (const std::string_view name : {"Name", "Description", "ApiKeySourceType", "BinaryMediaTypes"})
    if (const Json* value = properties.find(name)) input.set(name == "ApiKeySourceType" ? "apiKeySource" : lower_first(name), *value);
  if (const Json* policy = properties.find("Policy")) input.set("policy", text_of(*policy));
  if (const Json* size = properties.find("MinimumCompressionSize")) input.set("minimumCompressionSize", number(*size));
  if (const Json* disabled = properties.find("DisableExecuteApiEndpoint")) input.set("disableExecuteApiEndpoint", boolean(*disabled));
  if (const Json* endpoint = properties.find("EndpointConfiguration")) {
    Json& out = input.set("endpointConfiguration", Json::object());
    if (const Json* types = endpoint->find("Types")) out.set("types", *types);
  }
  if (Json tags = tags_of(context, properties["Tags"]); tags.size() > 0) input.set("tags", std::move(tags));
  return input;
}

// The definition that comes with the template or is named by it; "" when there is none.
Task<Reply<std::string>> definition_of(const ResourceContext& context, const Json& properties) {
  if (const Json* body = properties.find("Body")) co_return text_of(*body);
  const Json& place = properties["BodyS3Location"];
  if (!place.is_object()) co_return std::string();
  co_return co_await aws::read_s3_object(context.caller, context.call, {place.text("Bucket"), place.text("Key"), place.text("Version"), place.text("ETag")}, kDefinitionBytesMax);
}

Task<Reply<Json>> put_definition(const ResourceContext& context, const std::string& id, const std::string& definition, std::string_view mode) {
  co_return co_await call(context, "PutRestApi", Json::object({{"restApiId", id}, {"mode", mode}, {"body", base64_encode(definition)}}));
}

Task<Reply<ResourceState>> create_api(const ResourceContext& context, const Json& properties) {
  const std::string definition = CO_TRY(co_await definition_of(context, properties));
  Json input = create_input(context, properties);
  // The definition's title is the name, when the template gives none.
  if (input.text("name").empty()) input.set("name", context.logical_id);
  const Json created = CO_TRY(co_await call(context, "CreateRestApi", std::move(input)));
  if (!definition.empty()) {
    auto put = co_await put_definition(context, created.text("id"), definition, "overwrite");
    if (put && properties.contains("Name"))
      put = co_await call(context, "UpdateRestApi", Json::object({{"restApiId", created["id"]},
                                                                  {"patchOperations", Json::array({replace("/name", properties.text("Name"))})}}));
    if (!put) {
      static_cast<void>(co_await call(context, "DeleteRestApi", Json::object({{"restApiId", created["id"]}})));
      co_return std::unexpected(std::move(put).error());
    }
  }
  co_return api_state(created);
}

std::string escaped(std::string_view text) { return replace_all(replace_all(std::string(text), "~", "~0"), "/", "~1"); }

Json changes(const Json& before, const Json& after) {
  Json out = Json::array();
  const std::pair<std::string_view, std::string_view> texts[] = {{"Name", "/name"}, {"Description", "/description"}, {"Policy", "/policy"}};
  for (const auto& [name, path] : texts) {
    if (after.contains(name)) out.push_back(replace(std::string(path), text_of(after[name])));
    else if (before.contains(name) && name != "Name") out.push_back(Json::object({{"op", "remove"}, {"path", path}}));
  }
  const auto has_changed = [&](std::string_view name) { return after.contains(name) || before.contains(name); };
  if (has_changed("ApiKeySourceType")) out.push_back(replace("/apiKeySource", after.contains("ApiKeySourceType") ? after.text("ApiKeySourceType") : "HEADER"));
  if (has_changed("DisableExecuteApiEndpoint")) out.push_back(replace("/disableExecuteApiEndpoint", after["DisableExecuteApiEndpoint"].scalar_text().value_or("false")));
  if (after.contains("MinimumCompressionSize")) out.push_back(replace("/minimumCompressionSize", after["MinimumCompressionSize"].scalar_text().value_or("0")));
  else if (before.contains("MinimumCompressionSize")) out.push_back(Json::object({{"op", "remove"}, {"path", "/minimumCompressionSize"}}));
  const auto list = [&](const Json& from, const Json& others, std::string_view op) {
    for (const Json& type : from.as_array())
      if (std::ranges::find(others.as_array(), type) == others.as_array().end())
        out.push_back(Json::object({{"op", op}, {"path", "/binaryMediaTypes/" + escaped(type.as_string())}}));
  };
  list(before["BinaryMediaTypes"], after["BinaryMediaTypes"], "remove");
  list(after["BinaryMediaTypes"], before["BinaryMediaTypes"], "add");
  const Json& old_type = before["EndpointConfiguration"]["Types"].at(0);
  const Json& new_type = after["EndpointConfiguration"]["Types"].at(0);
  if (new_type.is_string() && old_type != new_type) {
    const std::string old_text = old_type.is_string() ? old_type.as_string() : "EDGE";
    out.push_back(Json::object({{"op", "remove"}, {"path", "/endpointConfiguration/types/" + old_text}}));
    out.push_back(Json::object({{"op", "add"}, {"path", "/endpointConfiguration/types/" + new_type.as_string()}}));
  }
  return out;
}

Task<Reply<void>> put_tags(const ResourceContext& context, const std::string& id, Json before, Json after) {
  const std::string arn = fmt::format("arn:aws:apigateway:{}::/restapis/{}", context.call.region, id);
  Json gone = Json::array();
  for (const Json& tag : before.as_array())
    if (std::ranges::none_of(after.as_array(), [&](const Json& one) { return one.text("Key") == tag.text("Key"); })) gone.push_back(tag["Key"]);
  if (gone.size() > 0) CO_TRY(co_await call(context, "UntagResource", Json::object({{"resourceArn", arn}, {"tagKeys", std::move(gone)}})));
  if (Json tags = tags_of(context, after); tags.size() > 0) CO_TRY(co_await call(context, "TagResource", Json::object({{"resourceArn", arn}, {"tags", std::move(tags)}})));
  co_return Reply<void>();
}

Task<Reply<ResourceState>> update_api(const ResourceContext& context, const ResourceState& current, const Json& before, const Json& after) {
  if (!(before["Body"] == after["Body"]) || !(before["BodyS3Location"] == after["BodyS3Location"])) {
    const std::string definition = CO_TRY(co_await definition_of(context, after));
    if (!definition.empty()) CO_TRY(co_await put_definition(context, current.physical_id, definition, after.text("Mode") == "merge" ? "merge" : "overwrite"));
  }
  if (Json operations = changes(before, after); operations.size() > 0)
    CO_TRY(co_await call(context, "UpdateRestApi", Json::object({{"restApiId", current.physical_id}, {"patchOperations", std::move(operations)}})));
  CO_TRY(co_await put_tags(context, current.physical_id, before["Tags"], after["Tags"]));
  co_return current;
}

Task<Reply<void>> remove_api(const ResourceContext& context, const ResourceState& current, const Json&) {
  co_return co_await call_gone(context, "DeleteRestApi", Json::object({{"restApiId", current.physical_id}}));
}

std::string check_api(const Json& properties) {
  if (properties.contains("Body") && properties.contains("BodyS3Location")) return "Body and BodyS3Location cannot both be specified.";
  const Json& place = properties["BodyS3Location"];
  if (place.is_object() && !aws::is_unknown(place))
    for (const std::string_view name : {"Bucket", "Key"})
      if (!place.contains(name)) return fmt::format("/BodyS3Location: required key [{}] not found", name);
  return {};
}

}  // namespace

const aws::ResourceType kRestApi{
    .name = "AWS::ApiGateway::RestApi",
    .properties = {{"ApiKeySourceType"}, {"BinaryMediaTypes"}, {"Body"}, {"BodyS3Location"}, {"Description"}, {"DisableExecuteApiEndpoint"}, {"EndpointConfiguration"},
                   {"FailOnWarnings"}, {"MinimumCompressionSize"}, {"Mode"}, {"Name"}, {"Parameters"}, {"Policy"}, {"Tags"}},
    .check = check_api, .create = create_api, .update = update_api, .remove = remove_api};

}  // namespace reef::service::apigateway::resources
