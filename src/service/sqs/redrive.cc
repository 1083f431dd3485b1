#include "service/sqs/redrive.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "service/sqs/errors.h"
#include "service/sqs/limits.h"
#include "wire/json.h"

namespace reef::service::sqs {
namespace {

aws::Error refused(const std::string& value, std::string_view reason) { return invalid_value(value, "RedrivePolicy", reason); }

aws::Error refused_allow(const std::string& value, std::string_view reason) {
  return invalid_value(value, "RedriveAllowPolicy", fmt::format("Amazon SQS can't create the redrive allow policy. {}", reason));
}

bool allows(const std::string& policy_text, const QueueName& source) {
  const auto policy = wire::Json::parse(policy_text);
  if (!policy) return true;
  const std::string& permission = policy->text("redrivePermission");
  if (permission == "denyAll") return false;
  if (permission != "byQueue") return true;
  const auto& arns = (*policy)["sourceQueueArns"].as_array();
  return std::any_of(arns.begin(), arns.end(), [arn = source.arn()](const wire::Json& one) { return one.is_string() && one.as_string() == arn; });
}

}  // namespace

aws::Reply<void> apply_redrive(const std::string& value, const QueueName& name, queue::Settings& settings) {
  if (value.empty()) {
    settings.dead_letter_queue.clear();
    settings.receives_max = 0;
    return {};
  }
  const auto policy = wire::Json::parse(value);
  if (!policy || !policy->is_object()) return Err(refused(value, "Redrive policy is not a valid JSON map."));
  for (const char* key : {"maxReceiveCount", "deadLetterTargetArn"})
    if (!policy->contains(key)) return Err(refused(value, fmt::format("Redrive policy does not contain mandatory attribute: {}.", key)));
  if (policy->size() > 2) return Err(refused(value, "Only following attributes are supported: [maxReceiveCount, deadLetterTargetArn]."));
  const wire::Json& count_json = (*policy)["maxReceiveCount"];
  const auto count = count_json.is_string() ? parse_int(count_json.as_string()) : count_json.as_int();
  if (!count || *count < 1 || *count > kReceivesMax)
    return Err(refused(value, fmt::format("Invalid value for maxReceiveCount: {}, valid values are from 1 to 1000 both inclusive.",
                                          count_json.scalar_text().value_or("null"))));
  const auto dead_letter = parse_arn(policy->text("deadLetterTargetArn"));
  if (!dead_letter) return Err(refused(value, "Only SQS queues are valid resources for deadLetterTargetArn."));
  if (dead_letter->is_fifo() != name.is_fifo()) return Err(refused(value, "Dead-letter queue must be same type of queue as the source."));
  if (dead_letter->account != name.account) return Err(refused(value, "Dead-letter target owner should be same as the source."));
  settings.dead_letter_queue = dead_letter->key();
  settings.receives_max = static_cast<std::uint32_t>(*count);
  return {};
}

aws::Reply<void> check_redrive_allow(const std::string& value) {
  if (value.empty()) return {};
  const aws::Error bad_format(aws::sqs::errors::kInvalidAttributeValue,
                              "Invalid value for the parameter RedriveAllowPolicy. Reason: Amazon SQS can't create the redrive allow "
                              "policy, as it’s in an unsupported format.");
  const auto policy = wire::Json::parse(value);
  if (!policy || !policy->is_object()) return Err(bad_format);
  const std::string& permission = policy->text("redrivePermission");
  const wire::Json* sources = policy->find("sourceQueueArns");
  if (permission != "allowAll" && permission != "denyAll" && permission != "byQueue") return Err(bad_format);
  if (policy->size() != (sources ? 2u : 1u) || (sources && !sources->is_array())) return Err(bad_format);
  if (sources)
    for (const wire::Json& arn : sources->as_array())
      if (!arn.is_string() || !parse_arn(arn.as_string())) return Err(bad_format);
  const std::size_t count = sources ? sources->size() : 0;
  if (permission == "byQueue" && count == 0)
    return Err(refused_allow(value, "When you specify the byQueue permission type, you must also specify one or more sourceQueueArns values."));
  if (permission != "byQueue" && count > 0)
    return Err(refused_allow(value, "To specify one or more source queue ARNs, you must set redrivePermission to byQueue."));
  if (count > kRedriveSourcesMax)
    return Err(refused_allow(value, fmt::format("The maximum number of source queue ARNs you can specify is {}.", kRedriveSourcesMax)));
  return {};
}

Task<aws::Reply<void>> check_dead_letter_queue(queue::Queues& queues, const TextMapOf& attributes, const QueueName& source) {
  const auto given = attributes.find("RedrivePolicy");
  if (given == attributes.end() || given->second.empty()) co_return aws::Reply<void>();
  queue::Settings asked;
  CO_TRY(apply_redrive(given->second, source, asked));
  const auto target = co_await queues.settings(asked.dead_letter_queue);
  if (!target) co_return Err(refused(given->second, "Dead letter target does not exist."));
  const QueueExtra extra = read_extra(*target);
  // AWS's wording of this refusal is not published.
  if (const auto allow = extra.attributes.find("RedriveAllowPolicy"); allow != extra.attributes.end() && !allows(allow->second, source))
    co_return Err(refused(given->second, "The redrive allow policy of the dead-letter queue does not permit this source queue."));
  co_return aws::Reply<void>();
}

}  // namespace reef::service::sqs
