#include "service/cloudformation/sam/transform.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/digest.h"
#include "base/encoding.h"
#include "base/text.h"
#include "service/cloudformation/sam/context.h"

namespace reef::cloudformation::sam {
namespace {

constexpr std::string_view kPrefix = "AWS::Serverless::";

// Global values under local ones: maps merge, lists are joined, everything else is the local one's.
Json merged(const Json& global, const Json& local) {
  if (global.is_object() && local.is_object()) {
    if (!intrinsic_of(local).empty() || !intrinsic_of(global).empty()) return local;
    Json out = global;
    for (const auto& [name, value] : local.as_object()) {
      const Json* inherited = out.find(name);
      out.set(name, inherited ? merged(Json(*inherited), value) : value);
    }
    return out;
  }
  if (global.is_array() && local.is_array()) {
    Json out = global;
    for (const Json& element : local.as_array()) out.push_back(element);
    return out;
  }
  return local;
}

void sorted_append(const Json& value, std::string& out) {
  if (value.is_array()) {
    out += '[';
    bool first = true;
    for (const Json& element : value.as_array()) {
      if (!std::exchange(first, false)) out += ',';
      sorted_append(element, out);
    }
    out += ']';
  } else if (value.is_object()) {
    std::vector<const Json::Member*> members;
    for (const Json::Member& member : value.as_object()) members.push_back(&member);
    std::sort(members.begin(), members.end(), [](const auto* a, const auto* b) { return a->first < b->first; });
    out += '{';
    bool first = true;
    for (const Json::Member* member : members) {
      if (!std::exchange(first, false)) out += ',';
      wire::append_json_string(out, member->first);
      out += ':';
      sorted_append(member->second, out);
    }
    out += '}';
  } else {
    value.append_to(out);
  }
}

// Follows references to what the transform renamed: layers, and "Fn.Alias", "Fn.Version", "Api.Stage".
void rename(Json& value, const std::map<std::string, std::string>& renamed) {
  if (value.is_array()) {
    for (Json& element : value.elements()) rename(element, renamed);
    return;
  }
  if (!value.is_object()) return;
  const std::string_view name = intrinsic_of(value);
  if (name == "Ref") {
    const auto found = renamed.find(value["Ref"].as_string());
    if (found != renamed.end()) value.set("Ref", found->second);
    return;
  }
  if (name == "Fn::GetAtt") {
    Json& argument = *value.find("Fn::GetAtt");
    if (argument.is_array() && argument.size() >= 1) {
      std::string target = argument.at(0).as_string(), rest = argument.at(1).as_string();
      // !GetAtt Fn.Alias.Arn is split at its first dot.
      if (const std::size_t dot = rest.find('.'); dot != std::string::npos && renamed.contains(target + "." + rest.substr(0, dot))) {
        argument = Json::array({renamed.at(target + "." + rest.substr(0, dot)), rest.substr(dot + 1)});
        return;
      }
      const auto found = renamed.find(target);
      if (found != renamed.end()) argument.elements()[0] = found->second;
    }
    return;
  }
  if (name == "Fn::Sub") {
    Json& argument = *value.find("Fn::Sub");
    Json& text = argument.is_array() && argument.size() > 0 ? argument.elements()[0] : argument;
    std::string pattern = text.as_string();
    for (const auto& [from, to] : renamed) {
      for (const std::string& end : {std::string("}"), std::string(".")}) {
        const std::string wanted = "${" + from + end;
        for (std::size_t at = pattern.find(wanted); at != std::string::npos; at = pattern.find(wanted, at + 1))
          pattern.replace(at, wanted.size(), "${" + to + end);
      }
    }
    if (text.is_string()) text = pattern;
    if (argument.is_array() && argument.size() > 1) rename(argument.elements()[1], renamed);
    return;
  }
  for (auto& [key, member] : value.members()) {
    if (key == "DependsOn") {
      const auto follow = [&](Json& each) {
        const auto found = renamed.find(each.as_string());
        if (found != renamed.end()) each = found->second;
      };
      if (member.is_string()) follow(member);
      if (member.is_array())
        for (Json& each : member.elements()) follow(each);
      continue;
    }
    rename(member, renamed);
  }
}

// "Fn::Or" takes ten: more are nested under numbered names.
void add_combined_condition(Context& context, const std::string& name, std::vector<std::string> conditions) {
  constexpr std::size_t kMax = 10;
  std::size_t number = (conditions.size() - 2) / (kMax - 1);
  Json& all = context.document.contains("Conditions") ? *context.document.find("Conditions") : context.document.set("Conditions", Json::object());
  while (conditions.size() > 1) {
    const std::string each = number > 0 ? fmt::format("{}{}", name, number--) : name;
    const std::size_t count = std::min(kMax, conditions.size());
    Json any = Json::array();
    for (std::size_t i = 0; i < count; ++i) any.push_back(Json::object({{"Condition", conditions[i]}}));
    conditions.erase(conditions.begin(), conditions.begin() + static_cast<std::ptrdiff_t>(count));
    conditions.push_back(each);
    all.set(each, Json::object({{"Fn::Or", std::move(any)}}));
  }
}

// A path of which every method is conditional is conditional, too.
void add_path_conditions(Context& context) {
  for (const auto& [id, use] : context.uses) {
    Json& in = *context.serverless.find(id)->find("Properties");
    Json* body = in.contains("__Managed") ? in.find("DefinitionBody") : nullptr;
    Json* paths = body ? body->find("paths") : in.find("__Paths");
    if (!paths) continue;
    for (auto& [path, item] : paths->members()) {
      const auto found = use.conditions.find(path);
      if (found == use.conditions.end() || found->second.contains("")) continue;
      std::string name = *found->second.begin();
      if (found->second.size() > 1) {
        name = fmt::format("{}{}PathCondition", id, replace_all(replace_all(replace_all(path, "/", "SLASH"), "{", "OB"), "}", "CB"));
        add_combined_condition(context, name, {found->second.begin(), found->second.end()});
      }
      item = Json::object({{"Fn::If", Json::array({name, Json(item), ref_to("AWS::NoValue")})}});
    }
  }
}

// The strongest of the functions' policies: what is kept for one of them is kept.
void add_implicit_policies(const ApiUse& use, Json& declaration) {
  const auto strongest = [](const std::vector<std::string>& given, std::initializer_list<const char*> order) -> std::string {
    for (const char* each : order)
      if (std::find(given.begin(), given.end(), each) != given.end()) return each;
    return {};
  };
  if (const std::string policy = strongest(use.deletion_policies, {"Retain", "Delete"}); !policy.empty()) declaration.set("DeletionPolicy", policy);
  if (const std::string policy = strongest(use.replace_policies, {"Retain", "Snapshot", "Delete"}); !policy.empty()) declaration.set("UpdateReplacePolicy", policy);
}

// An API whose every route belongs to a conditional function is itself conditional.
void add_implicit_condition(Context& context, std::string_view api) {
  const auto use = context.uses.find(std::string(api));
  Json* declaration = context.serverless.find(api);
  if (use == context.uses.end() || !declaration || !declaration->contains("__Implicit")) return;
  add_implicit_policies(use->second, *declaration);
  std::set<std::string> conditions;
  for (const auto& [path, each] : use->second.conditions) conditions.insert(each.begin(), each.end());
  if (conditions.contains("")) return;
  const std::string name = conditions.size() == 1 ? *conditions.begin() : fmt::format("{}Condition", api);
  if (conditions.size() > 1) add_combined_condition(context, name, {conditions.begin(), conditions.end()});
  declaration->set("Condition", name);
}

// REST APIs without a definition get an empty one, to which functions add their routes.
void begin_definitions(Context& context) {
  for (auto& [id, declaration] : context.serverless.members()) {
    if (declaration.text("Type") != "AWS::Serverless::Api") continue;
    Json& in = *declaration.find("Properties");
    const std::string version = in["OpenApiVersion"].scalar_text().value_or("");
    if (!in.contains("DefinitionBody") && !in.contains("DefinitionUri")) {
      in.set("__Managed", true);
      in.set("DefinitionBody", Json::object({{"swagger", "2.0"}, {"info", Json::object({{"version", "1.0"}, {"title", ref_to("AWS::StackName")}})}, {"paths", Json::object()}}));
      if (version.starts_with("3.")) {
        in.find("DefinitionBody")->erase("swagger");
        in.find("DefinitionBody")->set("openapi", version);
      }
    }
  }
}

bool is_serverless(const Json& declaration) { return declaration.text("Type").starts_with(kPrefix); }

// What a resource became carries its tags, where it takes tags.
void propagate_tags(Context& context, const Json& in, std::size_t first) {
  if (!in["Tags"].is_object() || in["PropagateTags"].scalar_text() != "true") return;
  static constexpr std::string_view kTagged[] = {
      "AWS::ApiGateway::RestApi", "AWS::ApiGateway::Stage", "AWS::ApiGateway::DomainName", "AWS::ApiGateway::ApiKey", "AWS::ApiGateway::UsagePlan",
      "AWS::Lambda::Function", "AWS::IAM::Role", "AWS::SQS::Queue", "AWS::SNS::Topic"};
  std::size_t index = 0;
  for (auto& [name, made] : context.resources().members()) {
    const bool is_new = index++ >= first || (name.starts_with("Serverless") && in["Auth"]["UsagePlan"].text("CreateUsagePlan") == "SHARED");
    if (!is_new || std::find(std::begin(kTagged), std::end(kTagged), made.text("Type")) == std::end(kTagged)) continue;
    if (!made.contains("Properties")) made.set("Properties", Json::object());
    made.find("Properties")->set("Tags", tag_list(in["Tags"], ""));
  }
}

Reply<void> expand_kind(Context& context, const std::string& logical_id, const std::string& kind, const Json& declaration) {
  if (kind == "Function") return expand_function(context, logical_id, declaration);
  if (kind == "Api") return expand_rest_api(context, logical_id, declaration);
  if (kind == "HttpApi") return expand_http_api(context, logical_id, declaration);
  if (kind == "SimpleTable") return expand_simple_table(context, logical_id, declaration);
  if (kind == "LayerVersion") return expand_layer(context, logical_id, declaration);
  if (kind == "Connector") return expand_connector(context, logical_id, declaration);
  return Err(invalid_resource(logical_id, fmt::format("Resources of type AWS::Serverless::{} are not supported by this version of Atoll.", kind)));
}

Reply<void> expand(Context& context, const std::string& logical_id, const std::string& kind) {
  const Json declaration = context.serverless[logical_id];
  const std::size_t first = context.resources().size();
  TRY(expand_kind(context, logical_id, kind, declaration));
  if (kind == "Api" || kind == "Function") propagate_tags(context, declaration["Properties"], first);
  return {};
}

}  // namespace

aws::Error invalid_resource(std::string_view logical_id, std::string_view message) {
  return invalid(fmt::format("Transform AWS::Serverless-2016-10-31 failed with: Invalid Serverless Application Specification document. "
                             "Number of errors found: 1. Resource with id [{}] is invalid. {}", logical_id, message));
}

Json ref_to(std::string_view name) { return Json::object({{"Ref", name}}); }
Json get_att(std::string_view name, std::string_view attribute) { return Json::object({{"Fn::GetAtt", Json::array({name, attribute})}}); }
Json sub(std::string_view text) { return Json::object({{"Fn::Sub", text}}); }
Json sub(std::string_view text, Json variables) { return Json::object({{"Fn::Sub", Json::array({text, std::move(variables)})}}); }

Json resource(std::string_view type, Json properties, const Json& like) {
  Json out = Json::object({{"Type", type}});
  out.set("Properties", std::move(properties));
  copy_members(like, out, {"Condition", "DeletionPolicy", "UpdateReplacePolicy"});
  return out;
}

void copy_members(const Json& from, Json& to, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names)
    if (const Json* member = from.find(name)) to.set(name, *member);
}

Json tag_list(const Json& tags, std::string_view created_by) {
  Json out = Json::array();
  if (!created_by.empty()) out.push_back(Json::object({{"Key", created_by}, {"Value", "SAM"}}));
  for (const auto& [key, value] : tags.as_object()) out.push_back(Json::object({{"Key", key}, {"Value", value}}));
  return out;
}

std::string sorted_dump(const Json& value) {
  std::string out;
  sorted_append(value, out);
  return out;
}
std::string hashed_text_id(std::string_view prefix, std::string_view text) { return fmt::format("{}{}", prefix, hex_encode(sha1(text)).substr(0, 10)); }
std::string hashed_id(std::string_view prefix, const Json& data) { return hashed_text_id(prefix, sorted_dump(data)); }

bool is_alphanumeric(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
}

std::string Context::partition() const { return region.starts_with("cn-") ? "aws-cn" : region.starts_with("us-gov-") ? "aws-us-gov" : "aws"; }
std::string Context::managed_policy_arn(std::string_view name) const { return fmt::format("arn:{}:iam::aws:policy/{}", partition(), name); }

Json Context::resolved(const Json& value) const {
  if (value.is_array()) {
    Json out = Json::array();
    for (const Json& element : value.as_array()) out.push_back(resolved(element));
    return out;
  }
  if (!value.is_object()) return value;
  if (intrinsic_of(value) == "Ref") {
    const std::string& name = value["Ref"].as_string();
    if (name == "AWS::Region") return region;
    if (name == "AWS::Partition") return partition();
    const auto found = parameters.find(name);
    return found == parameters.end() ? value : found->second;
  }
  if (intrinsic_of(value) == "Fn::Sub" && value["Fn::Sub"].is_string()) {
    std::string text = replace_all(replace_all(value["Fn::Sub"].as_string(), "${AWS::Region}", region), "${AWS::Partition}", partition());
    for (const auto& [name, each] : parameters)
      if (each.is_string()) text = replace_all(text, "${" + name + "}", each.as_string());
    return sub(text);
  }
  Json out = Json::object();
  for (const auto& [name, member] : value.as_object()) out.set(name, resolved(member));
  return out;
}

Reply<Json> s3_location(std::string_view logical_id, std::string_view property, const Json& uri, std::string_view bucket, std::string_view key,
                        std::string_view version) {
  Json out = Json::object();
  if (uri.is_object() && uri.contains("Bucket")) {
    if (!uri.contains("Key")) return Err(invalid_resource(logical_id, fmt::format("'{}' requires Bucket and Key properties to be specified.", property)));
    out.set(bucket, uri["Bucket"]);
    out.set(key, uri["Key"]);
    if (uri.contains("Version")) out.set(version, uri["Version"]);
    return out;
  }
  const std::string& text = uri.as_string();
  std::string_view rest = text;
  if (!rest.starts_with("s3://"))
    return Err(invalid_resource(logical_id, fmt::format("'{}' is not a valid S3 Uri of the form 's3://bucket/key' with optional versionId query parameter.", property)));
  rest.remove_prefix(5);
  const std::size_t slash = rest.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == rest.size())
    return Err(invalid_resource(logical_id, fmt::format("'{}' is not a valid S3 Uri of the form 's3://bucket/key' with optional versionId query parameter.", property)));
  out.set(bucket, rest.substr(0, slash));
  rest.remove_prefix(slash + 1);
  const std::size_t query = rest.find("?versionId=");
  out.set(key, rest.substr(0, query));
  if (query != std::string_view::npos) out.set(version, rest.substr(query + 11));
  return out;
}

Reply<void> check_known(std::string_view logical_id, std::string_view type, const Json& properties, std::initializer_list<std::string_view> known) {
  for (const auto& [name, value] : properties.as_object())
    if (std::find(known.begin(), known.end(), name) == known.end())
      return Err(invalid_resource(logical_id, fmt::format("property {} not defined for resource of type {}", name, type)));
  return {};
}

Reply<Json> transform(const Json& document, const std::map<std::string, Json, std::less<>>& parameters, std::string_view region, std::int64_t now_seconds) {
  Context context{.document = document, .parameters = parameters, .region = std::string(region), .serverless = Json::object(), .renamed = {}, .uses = {}, .shared_plan = {}, .now_seconds = now_seconds};
  const Json globals = document["Globals"];
  context.document.erase("Globals");
  if (!context.document["Resources"].is_object()) return Err(invalid("Transform AWS::Serverless-2016-10-31 failed with: Invalid Serverless Application Specification document. Number of errors found: 1. 'Resources' section is required"));
  for (const auto& [kind, values] : globals.as_object()) {
    static constexpr std::string_view kKinds[] = {"Function", "Api", "HttpApi", "SimpleTable", "StateMachine", "LayerVersion", "CapacityProvider", "WebSocketApi"};
    if (std::find(std::begin(kKinds), std::end(kKinds), kind) == std::end(kKinds))
      return Err(invalid(fmt::format("Transform AWS::Serverless-2016-10-31 failed with: Invalid Serverless Application Specification document. Number of errors found: 1. 'Globals' section is invalid. '{}' is not supported. Must be one of the following values - {}", kind, fmt::join(kKinds, ", "))));
  }
  Json others = Json::object();
  for (const auto& [logical_id, declaration] : document["Resources"].as_object()) {
    if (!is_serverless(declaration)) {
      others.set(logical_id, declaration);
      continue;
    }
    Json each = declaration;
    const Json& defaults = globals[declaration.text("Type").substr(kPrefix.size())];
    if (!each["Properties"].is_object()) each.set("Properties", Json::object());
    Json inherited = defaults;
    if (const Json& ignored = each["IgnoreGlobals"]; ignored.is_string() && ignored.as_string() == "*") inherited = Json();
    else
      for (const Json& name : ignored.as_array()) inherited.erase(name.as_string());
    each.erase("IgnoreGlobals");
    // "Tracing:" with nothing behind it is not there.
    std::erase_if(each.find("Properties")->members(), [](const Json::Member& member) { return member.second.is_null(); });
    if (inherited.is_object()) each.set("Properties", merged(inherited, each["Properties"]));
    context.serverless.set(logical_id, std::move(each));
  }
  // Implicit APIs exist from the start, so that functions can add to them; unused ones are not expanded.
  for (const std::string_view kind : {"Api", "HttpApi"}) {
    const std::string_view id = kind == "Api" ? kImplicitRestApi : kImplicitHttpApi;
    if (context.serverless.contains(id)) continue;
    Json properties = globals[kind].is_object() ? globals[kind] : Json::object();
    if (kind == "Api") properties.set("StageName", "Prod");
    context.serverless.set(id, Json::object({{"Type", fmt::format("{}{}", kPrefix, kind)}, {"Properties", properties}, {"__Implicit", true}}));
  }
  context.document.set("Resources", std::move(others));
  begin_definitions(context);
  // Functions first: they put their routes into the APIs. Connectors last: they look at what was made.
  for (const std::string_view kind : {"Function", "LayerVersion", "SimpleTable", "Api", "HttpApi", "Connector", ""}) {
    if (kind == "Api") {
      add_implicit_condition(context, kImplicitRestApi);
      add_implicit_condition(context, kImplicitHttpApi);
      add_path_conditions(context);
    }
    std::vector<std::string> ids;
    for (const auto& [logical_id, declaration] : context.serverless.as_object()) ids.push_back(logical_id);
    for (const std::string& logical_id : ids) {
      const std::string type = context.serverless[logical_id].text("Type").substr(kPrefix.size());
      static constexpr std::string_view kKnown[] = {"Function", "LayerVersion", "SimpleTable", "Api", "HttpApi", "Connector"};
      const bool is_known = std::find(std::begin(kKnown), std::end(kKnown), type) != std::end(kKnown);
      if (is_known ? type != kind : !kind.empty()) continue;
      if (context.serverless[logical_id].contains("__Implicit") && !context.uses.contains(logical_id)) continue;
      TRY(expand(context, logical_id, type));
    }
  }
  // Resources carry connectors as an attribute, too; by now everything they may name exists.
  for (const auto& [logical_id, declaration] : document["Resources"].as_object()) {
    if (!declaration.contains("Connectors")) continue;
    if (Json* made = context.resources().find(logical_id)) made->erase("Connectors");
    TRY(expand_embedded_connectors(context, logical_id, declaration["Connectors"]));
  }
  if (!context.renamed.empty()) rename(context.document, context.renamed);
  return std::move(context.document);
}

}  // namespace reef::cloudformation::sam
