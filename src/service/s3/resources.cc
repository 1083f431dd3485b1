// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-s3-bucket.html
// https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-s3-bucketpolicy.html
#include "service/s3/resources.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "wire/json.h"

namespace reef::s3::resources {
namespace {

using aws::Reply;
using wire::Json;

constexpr std::size_t kNameMax = 63;

Json number(const Json& value) {
  if (value.is_string())
    if (const auto parsed = parse_int(value.as_string())) return Json(*parsed);
  return value;
}
bool is_true(const Json& value) { return value.is_bool() ? value.as_bool() : value.as_string() == "true"; }

// Copies members under other names: {"theirs", "ours"}.
Json renamed(const Json& from, std::initializer_list<std::pair<const char*, const char*>> names) {
  Json out = Json::object();
  for (const auto& [theirs, ours] : names)
    if (from.contains(theirs)) out.set(ours, number(from[theirs]));
  return out;
}

Json encryption(const Json& property) {
  Json rules = Json::array();
  for (const Json& rule : property["ServerSideEncryptionConfiguration"].as_array()) {
    Json out = Json::object();
    if (rule.contains("ServerSideEncryptionByDefault"))
      out.set("ApplyServerSideEncryptionByDefault", rule["ServerSideEncryptionByDefault"]);
    if (rule.contains("BucketKeyEnabled")) out.set("BucketKeyEnabled", is_true(rule["BucketKeyEnabled"]));
    rules.push_back(std::move(out));
  }
  return Json::object({{"Rules", std::move(rules)}});
}

Json cors(const Json& property) {
  Json rules = Json::array();
  for (const Json& rule : property["CorsRules"].as_array())
    rules.push_back(renamed(rule, {{"Id", "ID"},
                                   {"AllowedHeaders", "AllowedHeaders"},
                                   {"AllowedMethods", "AllowedMethods"},
                                   {"AllowedOrigins", "AllowedOrigins"},
                                   {"ExposedHeaders", "ExposeHeaders"},
                                   {"MaxAge", "MaxAgeSeconds"}}));
  return Json::object({{"CORSRules", std::move(rules)}});
}

Json website(const Json& property) {
  Json out = Json::object();
  if (property.contains("IndexDocument")) out.set("IndexDocument", Json::object({{"Suffix", property["IndexDocument"]}}));
  if (property.contains("ErrorDocument")) out.set("ErrorDocument", Json::object({{"Key", property["ErrorDocument"]}}));
  if (property.contains("RedirectAllRequestsTo")) out.set("RedirectAllRequestsTo", property["RedirectAllRequestsTo"]);
  if (property.contains("RoutingRules")) {
    Json rules = Json::array();
    for (const Json& rule : property["RoutingRules"].as_array()) {
      Json one = Json::object({{"Redirect", rule["RedirectRule"]}});
      if (rule.contains("RoutingRuleCondition")) one.set("Condition", rule["RoutingRuleCondition"]);
      rules.push_back(std::move(one));
    }
    out.set("RoutingRules", std::move(rules));
  }
  return out;
}

Json lifecycle_filter(const Json& rule) {
  Json tags = Json::array();
  for (const Json& tag : rule["TagFilters"].as_array()) tags.push_back(tag);
  const Json prefix = rule.contains("Prefix") ? rule["Prefix"] : Json("");
  if (tags.size() == 0) return Json::object({{"Prefix", prefix}});
  if (tags.size() == 1 && prefix.as_string().empty()) return Json::object({{"Tag", tags.at(0)}});
  return Json::object({{"And", Json::object({{"Prefix", prefix}, {"Tags", std::move(tags)}})}});
}

Json lifecycle_rule(const Json& rule) {
  Json out = Json::object({{"Status", rule["Status"]}, {"Filter", lifecycle_filter(rule)}});
  if (rule.contains("Id")) out.set("ID", rule["Id"]);
  Json expiration = renamed(rule, {{"ExpirationInDays", "Days"}, {"ExpirationDate", "Date"}});
  if (rule.contains("ExpiredObjectDeleteMarker")) expiration.set("ExpiredObjectDeleteMarker", is_true(rule["ExpiredObjectDeleteMarker"]));
  if (expiration.size()) out.set("Expiration", std::move(expiration));
  if (rule.contains("NoncurrentVersionExpirationInDays"))
    out.set("NoncurrentVersionExpiration", renamed(rule, {{"NoncurrentVersionExpirationInDays", "NoncurrentDays"}}));
  if (rule.contains("NoncurrentVersionExpiration"))
    out.set("NoncurrentVersionExpiration",
            renamed(rule["NoncurrentVersionExpiration"],
                    {{"NoncurrentDays", "NoncurrentDays"}, {"NewerNoncurrentVersions", "NewerNoncurrentVersions"}}));
  if (rule.contains("AbortIncompleteMultipartUpload"))
    out.set("AbortIncompleteMultipartUpload",
            renamed(rule["AbortIncompleteMultipartUpload"], {{"DaysAfterInitiation", "DaysAfterInitiation"}}));
  const auto transitions = [&](const char* many, const char* one, const char* days, const char* name) {
    Json list = Json::array();
    const auto add = [&](const Json& transition) {
      list.push_back(renamed(transition, {{"StorageClass", "StorageClass"}, {"TransitionInDays", days}, {"TransitionDate", "Date"}}));
    };
    for (const Json& transition : rule[many].as_array()) add(transition);
    if (rule.contains(one)) add(rule[one]);
    if (list.size()) out.set(name, std::move(list));
  };
  transitions("Transitions", "Transition", "Days", "Transitions");
  transitions("NoncurrentVersionTransitions", "NoncurrentVersionTransition", "NoncurrentDays", "NoncurrentVersionTransitions");
  return out;
}

Json lifecycle(const Json& property) {
  Json rules = Json::array();
  for (const Json& rule : property["Rules"].as_array()) rules.push_back(lifecycle_rule(rule));
  return Json::object({{"Rules", std::move(rules)}});
}

Json notification(const Json& property) {
  Json out = Json::object();
  const auto list = [&](const char* theirs, const char* ours, const char* target, const char* arn) {
    Json all = Json::array();
    for (const Json& one : property[theirs].as_array()) {
      Json entry = Json::object({{arn, one[target]}, {"Events", Json::array({one["Event"]})}});
      if (one.contains("Filter")) {
        Json rules = Json::array();
        for (const Json& rule : one["Filter"]["S3Key"]["Rules"].as_array()) rules.push_back(rule);
        entry.set("Filter", Json::object({{"Key", Json::object({{"FilterRules", std::move(rules)}})}}));
      }
      all.push_back(std::move(entry));
    }
    if (all.size()) out.set(ours, std::move(all));
  };
  list("LambdaConfigurations", "LambdaFunctionConfigurations", "Function", "LambdaFunctionArn");
  list("QueueConfigurations", "QueueConfigurations", "Queue", "QueueArn");
  list("TopicConfigurations", "TopicConfigurations", "Topic", "TopicArn");
  if (property.contains("EventBridgeConfiguration")) out.set("EventBridgeConfiguration", Json::object());
  return out;
}

// "PublicRead" -> "public-read"
std::string canned_acl(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z') {
      if (!out.empty()) out += '-';
      out += static_cast<char>(c - 'A' + 'a');
    } else {
      out += c;
    }
  }
  return out;
}

Json all_tags(const aws::ResourceContext& context, const Json& properties) {
  Json tags = Json::array();
  for (const Json& tag : properties["Tags"].as_array()) tags.push_back(tag);
  for (const Json& tag : context.tags.as_array()) {
    const bool is_system = tag.text("Key").starts_with("aws:");
    const bool known = std::ranges::any_of(properties["Tags"].as_array(), [&](const Json& mine) { return mine.text("Key") == tag.text("Key"); });
    if (!known && !is_system) tags.push_back(tag);
  }
  return tags;
}

// One property: what puts it and what takes it away.
struct Step {
  const char* property;
  const char* put;
  const char* member;
  Json (*convert)(const Json& property);
  const char* remove;  // nullptr: putting an empty one takes it away
};
Json as_given(const Json& property) { return property; }
Json booleans(const Json& property) {
  Json out = Json::object();
  for (const auto& [name, value] : property.as_object()) out.set(name, is_true(value));
  return out;
}
Json logging(const Json& property) {
  if (property.is_null()) return Json::object();
  return Json::object({{"LoggingEnabled", Json::object({{"TargetBucket", property["DestinationBucketName"]},
                                                        {"TargetPrefix", property.contains("LogFilePrefix") ? property["LogFilePrefix"] : Json("")}})}});
}
// It cannot be taken away any more, only its rule.
Json object_lock(const Json& property) { return property.is_null() ? Json::object({{"ObjectLockEnabled", "Enabled"}}) : property; }
Json acceleration(const Json& property) { return Json::object({{"Status", property["AccelerationStatus"]}}); }
constexpr Step kSteps[] = {
    {"OwnershipControls", "PutBucketOwnershipControls", "OwnershipControls", as_given, "DeleteBucketOwnershipControls"},
    {"PublicAccessBlockConfiguration", "PutPublicAccessBlock", "PublicAccessBlockConfiguration", booleans, "DeletePublicAccessBlock"},
    {"VersioningConfiguration", "PutBucketVersioning", "VersioningConfiguration", as_given, nullptr},
    {"ObjectLockConfiguration", "PutObjectLockConfiguration", "ObjectLockConfiguration", object_lock, nullptr},
    {"BucketEncryption", "PutBucketEncryption", "ServerSideEncryptionConfiguration", encryption, "DeleteBucketEncryption"},
    {"CorsConfiguration", "PutBucketCors", "CORSConfiguration", cors, "DeleteBucketCors"},
    {"WebsiteConfiguration", "PutBucketWebsite", "WebsiteConfiguration", website, "DeleteBucketWebsite"},
    {"LifecycleConfiguration", "PutBucketLifecycleConfiguration", "LifecycleConfiguration", lifecycle, "DeleteBucketLifecycle"},
    {"NotificationConfiguration", "PutBucketNotificationConfiguration", "NotificationConfiguration", notification, nullptr},
    {"LoggingConfiguration", "PutBucketLogging", "BucketLoggingStatus", logging, nullptr},
    {"AccelerateConfiguration", "PutBucketAccelerateConfiguration", "AccelerateConfiguration", acceleration, nullptr},
};

// {"Id", "Prefix", "TagFilters", "AccessPointArn"}: two of them or more are combined.
Json metrics_configuration(const Json& property) {
  Json out = Json::object({{"Id", property["Id"]}});
  Json all = Json::object();
  for (const char* name : {"Prefix", "AccessPointArn"})
    if (property.contains(name)) all.set(name, property[name]);
  const Json& tags = property["TagFilters"];
  if (all.size() == 0 && tags.size() == 0) return out;
  if (all.size() + tags.size() == 1) {
    if (tags.size()) all.set("Tag", tags.as_array().front());
    out.set("Filter", std::move(all));
    return out;
  }
  if (tags.size()) all.set("Tags", tags);
  out.set("Filter", Json::object({{"And", std::move(all)}}));
  return out;
}

Task<Reply<Json>> call(const aws::ResourceContext& context, std::string_view operation, Json input) {
  co_return co_await context.caller.invoke_json(context.call, "s3", operation, input);
}

// A list of them, each with an id of its own.
Task<Reply<void>> apply_metrics(const aws::ResourceContext& context, std::string bucket, const Json& before, const Json& after) {
  const auto find = [](const Json& list, std::string_view id) -> const Json* {
    for (const Json& one : list.as_array())
      if (one.text("Id") == id) return &one;
    return nullptr;
  };
  for (const Json& one : before.as_array())
    if (!find(after, one.text("Id")))
      CO_TRY(co_await call(context, "DeleteBucketMetricsConfiguration", Json::object({{"Bucket", bucket}, {"Id", one.text("Id")}})));
  for (const Json& one : after.as_array()) {
    const Json* had = find(before, one.text("Id"));
    if (had && *had == one) continue;
    CO_TRY(co_await call(context, "PutBucketMetricsConfiguration",
                         Json::object({{"Bucket", bucket}, {"Id", one.text("Id")}, {"MetricsConfiguration", metrics_configuration(one)}})));
  }
  co_return Reply<void>{};
}

Task<Reply<void>> apply(const aws::ResourceContext& context, std::string bucket, const Json& before, const Json& after) {
  CO_TRY(co_await apply_metrics(context, bucket, before["MetricsConfigurations"], after["MetricsConfigurations"]));
  for (const Step& step : kSteps) {
    if (before[step.property] == after[step.property]) continue;
    Json input = Json::object({{"Bucket", bucket}});
    if (!after.contains(step.property) && step.remove) {
      CO_TRY(co_await call(context, step.remove, std::move(input)));
      continue;
    }
    Json value = step.convert(after[step.property]);
    if (!after.contains(step.property) && std::string_view(step.property) == "VersioningConfiguration")
      value = Json::object({{"Status", "Suspended"}});
    input.set(step.member, std::move(value));
    CO_TRY(co_await call(context, step.put, std::move(input)));
  }
  if (!(before["AccessControl"] == after["AccessControl"]))
    CO_TRY(co_await call(context, "PutBucketAcl",
                         Json::object({{"Bucket", bucket},
                                       {"ACL", after.contains("AccessControl") ? canned_acl(after.text("AccessControl")) : "private"}})));
  Json tags = all_tags(context, after);
  if (tags.size())
    CO_TRY(co_await call(context, "PutBucketTagging", Json::object({{"Bucket", bucket}, {"Tagging", Json::object({{"TagSet", std::move(tags)}})}})));
  else if (before["Tags"].size())
    CO_TRY(co_await call(context, "DeleteBucketTagging", Json::object({{"Bucket", bucket}})));
  co_return Reply<void>{};
}

std::string identify(const aws::ResourceContext& context, const Json& properties) {
  return properties.contains("BucketName") ? properties.text("BucketName") : context.generated_name(kNameMax, true);
}

// A bucket of one's own would be given as if it were new (us-east-1).
Task<Reply<void>> refuse_others(const aws::ResourceContext& context, std::string name) {
  const Json input = Json::object({{"Bucket", name}});
  if (!co_await call(context, "HeadBucket", input)) co_return Reply<void>{};
  const auto tagging = co_await call(context, "GetBucketTagging", input);
  if (!tagging || !aws::is_made_for(context, (*tagging)["TagSet"])) co_return Err(aws::already_exists("AWS::S3::Bucket", name));
  co_return Reply<void>{};
}

Task<Reply<aws::ResourceState>> create(const aws::ResourceContext& context, const Json& properties) {
  const std::string name = identify(context, properties);
  const std::string& region = context.call.region;
  CO_TRY(co_await refuse_others(context, name));
  Json input = Json::object({{"Bucket", name}});
  if (region != "us-east-1") input.set("CreateBucketConfiguration", Json::object({{"LocationConstraint", region}}));
  if (is_true(properties["ObjectLockEnabled"])) input.set("ObjectLockEnabledForBucket", true);
  CO_TRY(co_await call(context, "CreateBucket", std::move(input)));
  auto applied = co_await apply(context, name, Json::object(), properties);
  if (!applied) {
    static_cast<void>(co_await call(context, "DeleteBucket", Json::object({{"Bucket", name}})));
    co_return Err(std::move(applied).error());
  }
  aws::ResourceState state;
  state.physical_id = name;
  state.attributes = Json::object({{"Arn", "arn:aws:s3:::" + name},
                                   {"DomainName", name + ".s3.amazonaws.com"},
                                   {"DualStackDomainName", fmt::format("{}.s3.dualstack.{}.amazonaws.com", name, region)},
                                   {"RegionalDomainName", fmt::format("{}.s3.{}.amazonaws.com", name, region)},
                                   {"WebsiteURL", fmt::format("http://{}.s3-website-{}.amazonaws.com", name, region)}});
  co_return state;
}

Task<Reply<aws::ResourceState>> update(const aws::ResourceContext& context, const aws::ResourceState& current,
                                       const Json& before, const Json& after) {
  CO_TRY(co_await apply(context, current.physical_id, before, after));
  const bool locks_now = is_true(after["ObjectLockEnabled"]) && !is_true(before["ObjectLockEnabled"]);
  if (locks_now && !after.contains("ObjectLockConfiguration"))
    CO_TRY(co_await call(context, "PutObjectLockConfiguration",
                         Json::object({{"Bucket", current.physical_id}, {"ObjectLockConfiguration", object_lock(Json())}})));
  co_return current;
}

Task<Reply<void>> remove(const aws::ResourceContext& context, const aws::ResourceState& current, const Json& properties) {
  auto removed = co_await call(context, "DeleteBucket", Json::object({{"Bucket", current.physical_id}}));
  if (!removed && removed.error().code != "NoSuchBucket") co_return Err(std::move(removed).error());
  co_return Reply<void>{};
}

Task<Reply<aws::ResourceState>> put_policy(const aws::ResourceContext& context, const Json& properties) {
  const Json& document = properties["PolicyDocument"];
  CO_TRY(co_await call(context, "PutBucketPolicy",
                       Json::object({{"Bucket", properties["Bucket"]},
                                     {"Policy", document.is_string() ? document.as_string() : document.dump()}})));
  aws::ResourceState state;
  state.physical_id = properties.text("Bucket");
  state.attributes = Json::object();
  co_return state;
}

Task<Reply<aws::ResourceState>> update_policy(const aws::ResourceContext& context, const aws::ResourceState& current,
                                              const Json& before, const Json& after) {
  co_return co_await put_policy(context, after);
}

Task<Reply<void>> remove_policy(const aws::ResourceContext& context, const aws::ResourceState& current, const Json& properties) {
  auto removed = co_await call(context, "DeleteBucketPolicy", Json::object({{"Bucket", current.physical_id}}));
  if (!removed && removed.error().code != "NoSuchBucket") co_return Err(std::move(removed).error());
  co_return Reply<void>{};
}

}  // namespace

const aws::ResourceType kBucket{
    .name = "AWS::S3::Bucket",
    .properties = {{"BucketName", aws::OnChange::kReplace},
                   {"AccessControl"},
                   {"AccelerateConfiguration"},
                   {"BucketEncryption"},
                   {"CorsConfiguration"},
                   {"LifecycleConfiguration"},
                   {"LoggingConfiguration"},
                   {"MetricsConfigurations"},
                   {"NotificationConfiguration"},
                   {"ObjectLockConfiguration"},
                   {"ObjectLockEnabled"},
                   {"OwnershipControls"},
                   {"PublicAccessBlockConfiguration"},
                   {"Tags"},
                   {"VersioningConfiguration"},
                   {"WebsiteConfiguration"}},
    .create = create,
    .identify = identify,
    .update = update,
    .remove = remove,
};

const aws::ResourceType kBucketPolicy{
    .name = "AWS::S3::BucketPolicy",
    .properties = {{"Bucket", aws::OnChange::kReplace, true}, {"PolicyDocument", aws::OnChange::kUpdate, true}},
    .create = put_policy,
    .update = update_policy,
    .remove = remove_policy,
};

}  // namespace reef::s3::resources
