// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_AddPermission.html
// https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_RemovePermission.html
#include <algorithm>

#include <fmt/format.h>

#include "service/sqs/attributes.h"
#include "service/sqs/errors.h"
#include "service/sqs/operations.h"
#include "wire/json.h"

namespace reef::service::sqs::operations {
namespace {

constexpr std::string_view kActions[] = {"*", "SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility",
                                         "GetQueueAttributes", "GetQueueUrl", "ListDeadLetterSourceQueues", "PurgeQueue"};

wire::Json read_policy(const QueueExtra& extra, const QueueName& name) {
  if (const auto found = extra.attributes.find("Policy"); found != extra.attributes.end())
    if (auto policy = wire::Json::parse(found->second); policy && policy->is_object()) return *std::move(policy);
  return wire::Json::object({{"Version", "2008-10-17"}, {"Id", name.arn() + "/SQSDefaultPolicy"}, {"Statement", wire::Json::array()}});
}

wire::Json one_or_many(wire::Json list) { return list.size() == 1 ? list.at(0) : list; }

}  // namespace

Task<Reply<model::AddPermissionOutput>> add_permission(Sqs& sqs, const model::AddPermissionInput& in, const Call& call) {
  const QueueName name = CO_TRY(parse_url(in.queue_url, call));
  if (in.actions.empty()) co_return Err(missing_parameter("Actions"));
  if (in.aws_account_ids.empty())
    co_return Err(invalid_parameter("Value [] for parameter PrincipalId is invalid. Reason: Unable to verify."));
  wire::Json actions = wire::Json::array(), principals = wire::Json::array();
  for (const std::string& action : in.actions) {
    if (std::find(std::begin(kActions), std::end(kActions), action) == std::end(kActions))
      co_return Err(invalid_value("SQS:" + action, "ActionName", "Only the queue owner is allowed to invoke this action."));
    actions.push_back("SQS:" + action);
  }
  for (const std::string& account : in.aws_account_ids) principals.push_back("arn:aws:iam::" + account + ":root");
  bool exists = false;
  CO_TRY(to_reply(co_await sqs.queues.change(name.key(), [&](queue::Settings& settings) {
    QueueExtra extra = read_extra(settings);
    wire::Json policy = read_policy(extra, name);
    for (const wire::Json& statement : policy["Statement"].as_array()) exists = exists || statement.text("Sid") == in.label;
    if (exists) return;
    policy.find("Statement")->push_back(wire::Json::object({{"Sid", in.label},
                                                            {"Effect", "Allow"},
                                                            {"Principal", wire::Json::object({{"AWS", one_or_many(principals)}})},
                                                            {"Action", one_or_many(actions)},
                                                            {"Resource", name.arn()}}));
    extra.attributes.insert_or_assign("Policy", policy.dump());
    write_extra(settings, extra);
  })));
  if (exists) co_return Err(invalid_value(in.label, "Label", "Already exists."));
  co_return model::AddPermissionOutput{};
}

Task<Reply<model::RemovePermissionOutput>> remove_permission(Sqs& sqs, const model::RemovePermissionInput& in, const Call& call) {
  const QueueName name = CO_TRY(parse_url(in.queue_url, call));
  bool found = false;
  CO_TRY(to_reply(co_await sqs.queues.change(name.key(), [&](queue::Settings& settings) {
    QueueExtra extra = read_extra(settings);
    wire::Json policy = read_policy(extra, name);
    if (!policy.contains("Statement")) return;
    auto& statements = policy.find("Statement")->elements();
    found = std::erase_if(statements, [&](const wire::Json& s) { return s.text("Sid") == in.label; }) > 0;
    if (!found) return;
    if (statements.empty()) extra.attributes.erase("Policy");
    else extra.attributes.insert_or_assign("Policy", policy.dump());
    write_extra(settings, extra);
  })));
  if (!found) co_return Err(invalid_value(in.label, "Label", "can't find label."));
  co_return model::RemovePermissionOutput{};
}

}  // namespace reef::service::sqs::operations
