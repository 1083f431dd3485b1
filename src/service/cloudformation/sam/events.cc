// Events of a serverless function.
// https://docs.aws.amazon.com/serverless-application-model/latest/developerguide/sam-property-function-eventsource.html
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "service/cloudformation/sam/definition.h"

namespace reef::cloudformation::sam {
namespace {

class Event {
 public:
  Event(Context& context, const FunctionTarget& target, const std::string& event_id, const Json& event, Json& policies)
      : context_(context), target_(target), id_(target.logical_id + event_id), event_id_(event_id), in_(event["Properties"]), policies_(policies) {}

  Reply<void> run(const std::string& type) {
    if (type == "HttpApi") return http_api();
    if (type == "Api") return rest_api();
    if (type == "SQS") return poller("Queue", "service-role/AWSLambdaSQSQueueExecutionRole");
    if (type == "Kinesis") return poller("Stream", "service-role/AWSLambdaKinesisExecutionRole");
    if (type == "DynamoDB") return poller("Stream", "service-role/AWSLambdaDynamoDBExecutionRole");
    if (type == "Schedule") return rule("Schedule");
    if (type == "EventBridgeRule" || type == "CloudWatchEvent") return rule("");
    if (type == "SNS") return sns();
    if (type == "CloudWatchLogs") return logs();
    if (type == "S3") return s3();
    return Err(invalid_resource(target_.logical_id, fmt::format("Event with id [{}] is invalid. Events of type {} are not supported by this version of Atoll.", event_id_, type)));
  }

 private:
  aws::Error wrong(std::string_view message) const {
    return invalid_resource(target_.logical_id, fmt::format("Event with id [{}] is invalid. {}", event_id_, message));
  }

  void add(const std::string& logical_id, std::string_view type, Json properties) {
    context_.add(logical_id, resource(type, std::move(properties), target_.declaration));
  }

  void permission(std::string_view principal, Json source_arn, std::string_view suffix = "") {
    Json out = Json::object({{"Action", "lambda:InvokeFunction"}, {"FunctionName", ref_to(target_.invoked)}, {"Principal", principal}});
    if (!source_arn.is_null()) out.set("SourceArn", std::move(source_arn));
    const std::string base = id_ + "Permission";
    add(suffix.empty() || is_alphanumeric(suffix) ? base + std::string(suffix) : hashed_text_id(base, suffix), "AWS::Lambda::Permission", std::move(out));
  }

  // "arn:...:function:..." of the function or its alias, for API integrations and targets.
  Json invoked_arn() const { return target_.is_alias ? ref_to(target_.invoked) : get_att(target_.logical_id, "Arn"); }
  Json integration_uri(std::string_view partition) const {
    return sub(fmt::format("arn:{}:apigateway:${{AWS::Region}}:lambda:path/2015-03-31/functions/${{{}}}/invocations", partition,
                           target_.is_alias ? target_.invoked : target_.logical_id + ".Arn"));
  }

  // The API that the event names, or the implicit one.
  Reply<std::string> api_of(const char* property, std::string_view implicit, std::string_view type) {
    std::string id(implicit);
    if (in_.contains(property)) {
      const Json& given = in_[property];
      id = intrinsic_of(given) == "Ref" ? given["Ref"].as_string() : given.as_string();
    }
    Json* api = context_.serverless.find(id);
    if (!api || api->text("Type") != type)
      return Err(wrong(fmt::format("{} must be a valid reference to an '{}' resource in same template.", property, type)));
    const Json& function = target_.declaration["Properties"];
    if (api->contains("__Implicit") && is_true(function["PropagateTags"]) && !is_empty(function["Tags"])) {
      Json& properties = *api->find("Properties");
      properties.set("PropagateTags", true);
      Json& tags = object_at(properties, "Tags");
      for (const auto& [key, value] : function["Tags"].as_object()) tags.set(key, value);
    }
    ApiUse& use = context_.uses[id];
    const std::string path = in_.contains("Path") ? in_.text("Path") : "$default";
    use.conditions[path].insert(target_.declaration.text("Condition"));
    use.deletion_policies.push_back(target_.declaration.text("DeletionPolicy"));
    use.replace_policies.push_back(target_.declaration.text("UpdateReplacePolicy"));
    return id;
  }

  Json conditional_or(Json value, Json otherwise) const {
    const Json& condition = target_.declaration["Condition"];
    if (!condition.is_string()) return value;
    return Json::object({{"Fn::If", Json::array({condition, std::move(value), std::move(otherwise)})}});
  }
  Json conditional(Json value) const { return conditional_or(std::move(value), ref_to("AWS::NoValue")); }

  static std::string without_trailing_slash(std::string path) {
    if (path.size() > 1 && path.ends_with('/')) path.pop_back();
    return path;
  }
  // "{id}" -> "*", "{proxy+}" -> "*": as the permission's ARN wants it.
  static std::string with_wildcards(const std::string& path) {
    std::string out;
    for (std::size_t i = 0; i < path.size(); ++i) {
      const std::size_t end = path[i] == '{' ? path.find('}', i) : std::string::npos;
      if (end == std::string::npos) {
        out += path[i];
      } else {
        out += '*';
        i = end;
      }
    }
    return out;
  }

  // Adds the route to the API's definition; the API is expanded after all functions.
  Reply<void> add_route(const std::string& api_id, const std::string& path, const std::string& method, Json operation) {
    Json& api = *context_.serverless.find(api_id)->find("Properties");
    const bool is_managed = !api.contains("DefinitionBody");
    if (api.contains("DefinitionUri")) return {};
    // An HTTP API whose definition is given gets the routes added.
    Json& paths = is_managed ? routes_of(api) : body_paths(api);
    Json& at = paths.contains(path) ? *paths.find(path) : paths.set(path, Json::object());
    if (at.contains(method)) {
      // A route that the definition describes and leaves without an integration gets ours.
      Json& existing = *at.find(method);
      if (!is_managed && existing.is_object() && intrinsic_of(existing).empty() && !existing.contains("x-amazon-apigateway-integration"))
        for (const auto& [name, value] : operation.as_object())
          if (!existing.contains(name)) existing.set(name, value);
      if (is_managed) return Err(wrong(fmt::format("API method \"{}\" defined multiple times for path \"{}\".", method, path)));
      return {};
    }
    at.set(method, conditional(std::move(operation)));
    return {};
  }
  static Json& routes_of(Json& api) { return api.contains("__Paths") ? *api.find("__Paths") : api.set("__Paths", Json::object()); }
  static Json& body_paths(Json& api) {
    Json& body = *api.find("DefinitionBody");
    return body.contains("paths") ? *body.find("paths") : body.set("paths", Json::object());
  }

  Reply<void> http_api() {
    TRY(check_event({"Path", "Method", "ApiId", "TimeoutInMillis", "PayloadFormatVersion", "RouteSettings", "Auth"}));
    const std::string api_id = TRY(api_of("ApiId", kImplicitHttpApi, "AWS::Serverless::HttpApi"));
    if (in_.contains("Path") != in_.contains("Method"))
      return Err(wrong(in_.contains("Path") ? "Event is missing required property 'Method'." : "Event is missing required property 'Path'."));
    const std::string path = in_.contains("Path") ? in_.text("Path") : "$default";
    const std::string given = to_lower(in_.contains("Method") ? in_.text("Method") : "any");
    const std::string method = given == "any" ? "x-amazon-apigateway-any-method" : given;
    const bool is_any = method == "x-amazon-apigateway-any-method";
    Json integration = Json::object({{"httpMethod", "POST"}, {"type", "aws_proxy"}, {"uri", conditional(integration_uri("${AWS::Partition}"))},
                                     {"payloadFormatVersion", in_.contains("PayloadFormatVersion") ? in_["PayloadFormatVersion"] : Json("2.0")}});
    if (in_.contains("TimeoutInMillis")) integration.set("timeoutInMillis", in_["TimeoutInMillis"]);
    Json operation = Json::object({{"x-amazon-apigateway-integration", integration}, {"responses", Json::object()}});
    if (path == "$default") operation.set("isDefaultRoute", true);
    Json auth = in_["Auth"];
    if (auth.is_object() && is_empty(auth["Authorizer"])) auth.set("Authorizer", context_.serverless[api_id]["Properties"]["Auth"]["DefaultAuthorizer"]);
    if (!auth.text("Authorizer").empty()) {
      Json security = Json::array();
      security.push_back(Json::object({{auth.text("Authorizer"), auth["AuthorizationScopes"].is_array() ? auth["AuthorizationScopes"] : Json::array()}}));
      operation.set("security", std::move(security));
    }
    Json parameters = Json::array();
    for (std::size_t at = path.find('{'); at != std::string::npos; at = path.find('{', at + 1)) {
      std::string name = path.substr(at + 1, path.find('}', at) - at - 1);
      if (name.ends_with('+')) name.pop_back();
      parameters.push_back(Json::object({{"name", name}, {"in", "path"}, {"required", true}}));
    }
    if (parameters.size() > 0) operation.set("parameters", std::move(parameters));
    if (in_.contains("RouteSettings")) {
      Json& api = *context_.serverless.find(api_id)->find("Properties");
      Json& settings = api.contains("RouteSettings") ? *api.find("RouteSettings") : api.set("RouteSettings", Json::object());
      Json& of_route = object_at(settings, path == "$default" ? path : fmt::format("{} {}", is_any ? "ANY" : to_upper(given), path));
      for (const auto& [name, value] : in_["RouteSettings"].as_object()) of_route.set(name, value);
    }
    TRY(add_route(api_id, path, method, std::move(operation)));
    // The permission of the default route covers every other.
    if (path != "$default" && has_default_route(api_id)) return {};
    std::string arn = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${__ApiId__}/${__Stage__}";
    const std::string shown = path == "$default" ? "" : with_wildcards(without_trailing_slash(path));
    arn += is_any && shown == "/$default" ? shown : fmt::format("/{}{}", is_any ? "*" : to_upper(given), shown);
    permission("apigateway.amazonaws.com", sub(arn, Json::object({{"__ApiId__", in_.contains("ApiId") ? in_["ApiId"] : ref_to(api_id)}, {"__Stage__", "*"}})));
    return {};
  }

  // Whether another event of the function is the API's default route.
  bool has_default_route(const std::string& api_id) const {
    for (const auto& [name, event] : target_.declaration["Properties"]["Events"].as_object()) {
      if (event.text("Type") != "HttpApi") continue;
      const Json& other = event["Properties"];
      const Json& given = other["ApiId"];
      const std::string other_api = given.is_null() ? std::string(kImplicitHttpApi) : intrinsic_of(given) == "Ref" ? given["Ref"].as_string() : given.as_string();
      if (other_api == api_id && !other.contains("Path")) return true;
    }
    return false;
  }

  Reply<void> rest_api() {
    TRY(check_event({"Path", "Method", "RestApiId", "Auth", "RequestModel", "RequestParameters", "TimeoutInMillis"}));
    if (!in_["Path"].is_string() || !in_["Method"].is_string())
      return Err(wrong(fmt::format("Event is missing required property '{}'.", in_["Path"].is_string() ? "Method" : "Path")));
    const std::string api_id = TRY(api_of("RestApiId", kImplicitRestApi, "AWS::Serverless::Api"));
    const std::string path = in_.text("Path"), given = to_lower(in_.text("Method"));
    Json& api = *context_.serverless.find(api_id)->find("Properties");
    const Json stage = api["StageName"];
    const std::string suffix = stage.is_string() ? stage.as_string() : "Stage";
    const std::string arn = fmt::format("arn:{}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{__ApiId__}}/${{__Stage__}}/{}{}", context_.partition(),
                                        given == "any" ? "*" : to_upper(given), with_wildcards(without_trailing_slash(path)));
    permission("apigateway.amazonaws.com", sub(arn, Json::object({{"__ApiId__", in_.contains("RestApiId") ? in_["RestApiId"] : ref_to(api_id)}, {"__Stage__", "*"}})), suffix);
    const Json auth = context_.resolved(in_["Auth"]), api_auth = context_.resolved(api["Auth"]);
    if (!auth.is_null() && !auth.is_object()) return Err(wrong("Property 'Auth' should be a map."));
    const auto failed = [this](std::string text) { return wrong(text); };
    if (!api.contains("__Managed")) {
      // A definition that is given stays as it is, except where the event says to override who may use it.
      if (is_empty(auth["OverrideApiAuth"]) || !api.contains("DefinitionBody")) return {};
      if (is_empty(auth["Authorizer"]) && is_empty(auth["ApiKeyRequired"]) && is_empty(auth["ResourcePolicy"]))
        return Err(wrong("Must define one of: Authorizer, ApiKeyRequired or ResourcePolicy when using the OverrideApiAuth property."));
      return add_method_auth(auth, api_auth, path, given, suffix, *api.find("DefinitionBody"), failed);
    }
    Json& body = *api.find("DefinitionBody");
    TRY(add_rest_route(body, path, given, in_["Auth"].is_object() ? in_["Auth"] : Json::object(), Json(api["Auth"])));
    if (!is_empty(auth)) TRY(add_method_auth(auth, api_auth, path, given, suffix, body, failed));
    TRY(add_request_model(in_["RequestModel"], api["Models"], path, given, body, failed));
    return add_request_parameters(in_["RequestParameters"], path, given, body, failed);
  }

  // With whose rights the function is called: nobody's in particular, unless the caller signs.
  Json credentials_of(const Json& auth, const Json& api_auth) const {
    if (auth.text("Authorizer") != "AWS_IAM" && !(api_auth.text("DefaultAuthorizer") == "AWS_IAM" && is_empty(auth))) return {};
    const Json* role = auth.contains("InvokeRole") ? auth.find("InvokeRole") : api_auth.find("InvokeRole");
    const bool is_caller = !role || role->as_string() == "CALLER_CREDENTIALS";
    if (is_caller) return fmt::format("arn:{}:iam::*:user/*", context_.partition());
    return is_empty(*role) || role->as_string() == "NONE" ? Json() : *role;
  }

  Reply<void> add_rest_route(Json& body, const std::string& path, const std::string& given, const Json& auth, const Json& api_auth) {
    const std::string method = method_member(given);
    const Json& condition = target_.declaration["Condition"];
    Json uri = integration_uri(context_.partition());
    if (condition.is_string()) uri = conditional(std::move(uri));
    Json integration = Json::object({{"type", "aws_proxy"}, {"httpMethod", "POST"}, {"uri", std::move(uri)}});
    if (in_.contains("TimeoutInMillis")) integration.set("timeoutInMillis", in_["TimeoutInMillis"]);
    if (Json credentials = credentials_of(auth, api_auth); !credentials.is_null()) integration.set("credentials", std::move(credentials));
    Json& paths = object_at(body, "paths");
    Json& at = object_at(paths, path);
    if (at.contains(method)) return Err(wrong(fmt::format("API method \"{}\" defined multiple times for path \"{}\".", given, path)));
    at.set(method, conditional(Json::object({{std::string(kIntegration), std::move(integration)}, {"responses", Json::object()}})));
    return {};
  }

  Reply<void> poller(const char* source, std::string_view policy) {
    TRY(check_event({"Queue", "Stream", "BatchSize", "Enabled", "MaximumBatchingWindowInSeconds", "FilterCriteria", "FunctionResponseTypes", "ScalingConfig",
                     "StartingPosition", "StartingPositionTimestamp", "BisectBatchOnFunctionError", "DestinationConfig", "MaximumRecordAgeInSeconds",
                     "MaximumRetryAttempts", "ParallelizationFactor", "TumblingWindowInSeconds", "KmsKeyArn", "MetricsConfig", "ProvisionedPollerConfig"}));
    if (!in_.contains(source)) return Err(wrong(fmt::format("Missing required property '{}'.", source)));
    Json out = Json::object({{"EventSourceArn", in_[source]}, {"FunctionName", ref_to(target_.invoked)}});
    copy_members(in_, out, {"BatchSize", "Enabled", "MaximumBatchingWindowInSeconds", "FilterCriteria", "FunctionResponseTypes", "ScalingConfig",
                            "StartingPosition", "StartingPositionTimestamp", "BisectBatchOnFunctionError", "DestinationConfig", "MaximumRecordAgeInSeconds",
                            "MaximumRetryAttempts", "ParallelizationFactor", "TumblingWindowInSeconds", "KmsKeyArn", "MetricsConfig", "ProvisionedPollerConfig"});
    if (Json* failure = out.contains("DestinationConfig") ? out.find("DestinationConfig")->find("OnFailure") : nullptr; failure && !is_empty((*failure)["Type"])) {
      const std::string type = failure->text("Type");
      if (type != "SQS" && type != "SNS" && type != "S3" && type != "Kafka") return Err(wrong("The only valid values for 'Type' are 'SQS', 'SNS', 'S3', and 'Kafka'"));
      if (type != "Kafka") policies_.push_back(destination_policy(type, id_, (*failure)["Destination"]));
      failure->erase("Type");
    }
    add(id_, "AWS::Lambda::EventSourceMapping", std::move(out));
    policies_.push_back(context_.managed_policy_arn(policy));
    return {};
  }

  // Schedule, EventBridgeRule and CloudWatchEvent.
  Reply<void> rule(std::string_view kind) {
    TRY(check_event({"Schedule", "Pattern", "EventBusName", "RuleName", "Input", "InputPath", "InputTransformer", "Enabled", "State", "Name", "Description",
                     "DeadLetterConfig", "RetryPolicy", "Target"}));
    Json out = Json::object();
    if (kind == "Schedule") out.set("ScheduleExpression", in_["Schedule"]);
    else out.set("EventPattern", in_["Pattern"]);
    copy_members(in_, out, {"EventBusName", "Name", "Description", "State"});
    if (in_.contains("RuleName")) out.set("Name", in_["RuleName"]);
    if (in_.contains("Enabled")) out.set("State", in_["Enabled"].scalar_text() == "false" ? "DISABLED" : "ENABLED");
    const std::string target_id = in_["Target"].contains("Id") ? in_["Target"].text("Id") : id_ + "LambdaTarget";
    Json target = Json::object({{"Arn", invoked_arn()}, {"Id", target_id}});
    copy_members(in_, target, {"Input", "InputPath", "InputTransformer", "RetryPolicy"});
    if (in_["DeadLetterConfig"].contains("Arn")) target.set("DeadLetterConfig", Json::object({{"Arn", in_["DeadLetterConfig"]["Arn"]}}));
    else if (in_.contains("DeadLetterConfig")) return Err(wrong("A DeadLetterConfig without Arn is not supported by this version of Atoll."));
    out.set("Targets", Json::array({target}));
    add(id_, "AWS::Events::Rule", std::move(out));
    permission("events.amazonaws.com", get_att(id_, "Arn"));
    return {};
  }

  Reply<void> sns() {
    TRY(check_event({"Topic", "Region", "FilterPolicy", "FilterPolicyScope", "RedrivePolicy"}));
    Json out = Json::object({{"Protocol", "lambda"}, {"Endpoint", invoked_arn()}, {"TopicArn", in_["Topic"]}});
    copy_members(in_, out, {"Region", "FilterPolicy", "FilterPolicyScope", "RedrivePolicy"});
    add(id_, "AWS::SNS::Subscription", std::move(out));
    permission("sns.amazonaws.com", in_["Topic"]);
    return {};
  }

  Reply<void> logs() {
    TRY(check_event({"LogGroupName", "FilterPattern"}));
    Json out = Json::object({{"LogGroupName", in_["LogGroupName"]}, {"FilterPattern", in_["FilterPattern"]}, {"DestinationArn", invoked_arn()}});
    Json subscription = resource("AWS::Logs::SubscriptionFilter", std::move(out), target_.declaration);
    subscription.set("DependsOn", Json::array({id_ + "Permission"}));
    context_.add(id_, std::move(subscription));
    permission("logs.amazonaws.com", sub(fmt::format("arn:{}:logs:${{AWS::Region}}:${{AWS::AccountId}}:log-group:${{__LogGroupName__}}:*", context_.partition()),
                                         Json::object({{"__LogGroupName__", in_["LogGroupName"]}})));
    return {};
  }

  Reply<void> s3() {
    TRY(check_event({"Bucket", "Events", "Filter"}));
    const std::string bucket_id = intrinsic_of(in_["Bucket"]) == "Ref" ? in_["Bucket"]["Ref"].as_string() : "";
    Json* bucket = bucket_id.empty() ? nullptr : context_.resources().find(bucket_id);
    if (!bucket || bucket->text("Type") != "AWS::S3::Bucket") return Err(wrong("S3 events must reference an S3 bucket in the same template."));
    if (!bucket->find("Properties") || !(*bucket)["Properties"].is_object()) bucket->set("Properties", Json::object());
    Json& properties = *bucket->find("Properties");
    Json& notification = properties.contains("NotificationConfiguration") ? *properties.find("NotificationConfiguration") : properties.set("NotificationConfiguration", Json::object());
    Json& lambdas = notification.contains("LambdaConfigurations") ? *notification.find("LambdaConfigurations") : notification.set("LambdaConfigurations", Json::array());
    const Json events = in_["Events"].is_array() ? in_["Events"] : Json::array({in_["Events"]});
    for (const Json& event : events.as_array()) {
      Json each = Json::object({{"Event", event}, {"Function", invoked_arn()}});
      copy_members(in_, each, {"Filter"});
      each = conditional(std::move(each));
      if (std::find(lambdas.as_array().begin(), lambdas.as_array().end(), each) == lambdas.as_array().end()) lambdas.push_back(std::move(each));
    }
    const std::string permission_id = fmt::format("{}{}", id_, "Permission");
    if (target_.declaration["Condition"].is_string()) {
      // One cannot depend on what may not be there: a tag refers to it where it is.
      Json& tags = properties.contains("Tags") ? *properties.find("Tags") : properties.set("Tags", Json::array());
      tags.push_back(Json::object({{"Key", fmt::format("sam:ConditionalDependsOn:{}", permission_id)}, {"Value", conditional_or(ref_to(permission_id), "no dependency")}}));
    } else {
      Json depends_on = (*bucket)["DependsOn"].is_array() ? (*bucket)["DependsOn"] : Json::array();
      if ((*bucket)["DependsOn"].is_string()) depends_on.push_back((*bucket)["DependsOn"]);
      depends_on.push_back(permission_id);
      bucket->set("DependsOn", std::move(depends_on));
    }
    Json out = Json::object({{"Action", "lambda:InvokeFunction"}, {"FunctionName", ref_to(target_.invoked)}, {"Principal", "s3.amazonaws.com"},
                             {"SourceAccount", ref_to("AWS::AccountId")}});
    add(permission_id, "AWS::Lambda::Permission", std::move(out));
    return {};
  }

  Reply<void> check_event(std::initializer_list<std::string_view> known) {
    for (const auto& [name, value] : in_.as_object())
      if (std::find(known.begin(), known.end(), name) == known.end()) return Err(wrong(fmt::format("property {} is not supported by this version of Atoll.", name)));
    return {};
  }

  Context& context_;
  const FunctionTarget& target_;
  const std::string id_, event_id_;
  const Json& in_;
  Json& policies_;
};

}  // namespace

Reply<void> expand_event(Context& context, const FunctionTarget& target, const std::string& event_id, const Json& event, Json& policies) {
  return Event(context, target, event_id, event, policies).run(event.text("Type"));
}

}  // namespace reef::cloudformation::sam
