#include "service/cloudformation/transforms.h"

#include <fmt/format.h>

#include "aws/models/lambda.h"
#include "service/cloudformation/prepare.h"
#include "service/cloudformation/sam/transform.h"
#include "service/cloudformation/template/loops.h"

namespace reef::cloudformation {
namespace {

constexpr std::string_view kServerless = "AWS::Serverless-2016-10-31", kLanguageExtensions = "AWS::LanguageExtensions", kInclude = "AWS::Include";
constexpr int kFragmentDepthMax = 100;

aws::Error failed(std::string_view name, std::string_view why) { return invalid(fmt::format("Transform {} failed with: {}", name, why)); }

struct Named {
  std::string name;
  Json parameters = Json::object();
};

Named named_of(const Json& one) {
  if (one.is_string()) return {.name = one.as_string()};
  return {.name = one.text("Name"), .parameters = one["Parameters"].is_object() ? one["Parameters"] : Json::object()};
}

class Transforms {
 public:
  Transforms(Cloudformation& cloud, const aws::Call& call, const Json& document, const std::map<std::string, Json, std::less<>>& values)
      : cloud_(cloud), call_(call), values_(values) {
    scope_.account = call.account, scope_.region = call.region;
    scope_.parameters = values;
    scope_.mappings = document["Mappings"];
  }

  Task<Reply<Json>> run(Json document) {
    // Those inside come before those of the whole template, and the deepest first.
    Json out = CO_TRY(co_await expand(std::move(document), 0));
    const Json section = out["Transform"];
    out.erase("Transform");
    std::vector<Named> all;
    if (section.is_array()) for (const Json& one : section.as_array()) all.push_back(named_of(one));
    else if (!section.is_null()) all.push_back(named_of(section));
    // SAM knows no loops: wherever the extensions stand, they come before it.
    for (const Named& one : all)
      if (one.name == kLanguageExtensions) out = CO_TRY(expand_loops(out, scope_));
    for (const Named& one : all)
      if (one.name != kLanguageExtensions) out = CO_TRY(co_await apply(one, std::move(out)));
    co_return out;
  }

 private:
  Task<Reply<Json>> expand(Json node, int depth) {
    if (depth > kFragmentDepthMax) co_return Err(invalid("Template format error: the template is nested too deeply."));
    if (node.is_array()) {
      Json out = Json::array();
      for (const Json& each : node.as_array()) out.push_back(CO_TRY(co_await expand(each, depth + 1)));
      co_return out;
    }
    if (!node.is_object()) co_return node;
    Json out = Json::object();
    const Json* transform = nullptr;
    for (const auto& [key, member] : node.as_object()) {
      if (key == "Fn::Transform") transform = &member;
      else out.set(key, CO_TRY(co_await expand(member, depth + 1)));
    }
    if (!transform) co_return out;
    std::vector<Named> all;
    if (transform->is_array()) for (const Json& one : transform->as_array()) all.push_back(named_of(one));
    else all.push_back(named_of(*transform));
    for (Named& one : all) {
      one.parameters = CO_TRY(evaluate_or_null(one.parameters, scope_));
      out = CO_TRY(co_await apply(one, std::move(out)));
    }
    co_return out;
  }

  Task<Reply<Json>> apply(Named one, Json fragment) {
    if (one.name == kInclude) co_return co_await include(std::move(one), std::move(fragment));
    if (one.name == kServerless) co_return sam::transform(fragment, values_, call_.region, to_seconds(call_.now));
    if (one.name.starts_with("AWS::")) co_return Err(invalid(fmt::format("The transform {} is not supported by this version of Atoll.", one.name)));
    co_return co_await call_macro(std::move(one), std::move(fragment));
  }

  // What the file says takes its place beside what is there already.
  Task<Reply<Json>> include(Named one, Json fragment) {
    const std::string location = one.parameters.text("Location");
    if (location.empty()) co_return Err(failed(kInclude, "The Location parameter is missing."));
    const auto text = co_await fetch_template(cloud_, call_, {.body = std::nullopt, .url = location}, nullptr);
    if (!text) co_return Err(failed(kInclude, text.error().message == "TemplateURL must be a supported URL." ? "The location parameter is not a valid S3 uri." : text.error().message));
    auto included = parse_template(*text);
    if (!included) co_return Err(failed(kInclude, "The specified S3 object's content should be valid Yaml/JSON"));
    if (fragment.size() == 0) co_return *std::move(included);
    for (const auto& [key, member] : included->as_object()) fragment.set(key, member);
    co_return fragment;
  }

  // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-macros-author.html
  Task<Reply<Json>> call_macro(Named one, Json fragment) {
    const std::string id = fmt::format("{}::{}", call_.account, one.name);
    const std::string function = function_of(one.name);
    if (function.empty()) co_return Err(invalid(fmt::format("No transform named {} found.", id)));
    Json values = Json::object();
    for (const auto& [name, value] : values_) values.set(name, value);
    const std::string request_id = call_.request_id;
    aws::lambda::InvokeInput invoke;
    invoke.function_name = function;
    invoke.payload = Json::object({{"region", call_.region}, {"accountId", call_.account}, {"fragment", std::move(fragment)}, {"transformId", id},
                                   {"params", one.parameters}, {"requestId", request_id}, {"templateParameterValues", std::move(values)}}).dump();
    const auto answered = co_await cloud_.caller.call<aws::lambda::InvokeOutput>(call_, aws::lambda::ops::kInvoke, invoke);
    if (!answered) co_return Err(failed(id, answered.error().message));
    const auto reply = Json::parse(answered->payload.value_or("null"));
    if (answered->function_error) co_return Err(failed(id, reply ? reply->text("errorMessage") : *answered->function_error));
    if (!reply || !reply->is_object()) co_return Err(failed(id, "the function's answer is no JSON object"));
    if (reply->text("status") != "success") {
      const std::string why = reply->text("errorMessage");
      co_return Err(failed(id, why.empty() ? "the function's status is " + reply->text("status") : why));
    }
    if (reply->text("requestId") != request_id) co_return Err(failed(id, "the function's answer has another requestId"));
    co_return (*reply)["fragment"];
  }

  std::string function_of(std::string_view macro) {
    for (const Stack* stack : cloud_.list(call_))
      for (const auto& [logical, resource] : stack->resources)
        if (resource.type == "AWS::CloudFormation::Macro" && resource.exists() && resource.state.physical_id == macro) return resource.properties.text("FunctionName");
    return {};
  }

  Cloudformation& cloud_;
  const aws::Call& call_;
  const std::map<std::string, Json, std::less<>>& values_;
  Scope scope_;
};

}  // namespace

Task<Reply<Json>> apply_transforms(Cloudformation& cloud, const aws::Call& call, const Json& document, const std::map<std::string, Json, std::less<>>& parameters) {
  Transforms transforms(cloud, call, document, parameters);
  co_return co_await transforms.run(document);
}

}  // namespace reef::cloudformation
