#include "service/lambda/mappings.h"

#include <gtest/gtest.h>

namespace reef::service::lambda {
namespace {

std::vector<aws::sqs::Message> batch() {
  std::vector<aws::sqs::Message> messages(2);
  messages[0].message_id = "a";
  messages[0].receipt_handle = "h";
  messages[0].body = "{\"x\":1}";
  messages[0].md5_of_body = "m";
  messages[0].attributes.emplace().emplace("SentTimestamp", "1");
  aws::sqs::MessageAttributeValue value;
  value.data_type = "Number";
  value.string_value = "5";
  messages[0].message_attributes.emplace().emplace("k", value);
  messages[1].message_id = "b";
  return messages;
}

TEST(SqsEvent, HasTheShapeThatFunctionsExpect) {
  auto messages = batch();
  messages.pop_back();
  EXPECT_EQ(sqs_event(messages, "arn:aws:sqs:eu-west-1:1:q", "eu-west-1"),
            R"({"Records":[{"messageId":"a","receiptHandle":"h","body":"{\"x\":1}","attributes":{"SentTimestamp":"1"},"messageAttributes":{"k":{"stringValue":"5","stringListValues":[],"binaryListValues":[],"dataType":"Number"}},"md5OfBody":"m","eventSource":"aws:sqs","eventSourceARN":"arn:aws:sqs:eu-west-1:1:q","awsRegion":"eu-west-1"}]})");
}

TEST(FailedItems, FollowsTheFunctionsReport) {
  const std::vector<bool> none{false, false}, all{true, true}, second{false, true};
  for (const char* fine : {"", "null", "{}", R"({"batchItemFailures":[]})", R"({"batchItemFailures":null})", "\"done\""}) EXPECT_EQ(failed_items(fine, batch()), none) << fine;
  for (const char* bad : {"{", R"({"batchItemFailures":[{"itemIdentifier":""}]})", R"({"batchItemFailures":[{"itemIdentifier":"x"}]})", R"({"batchItemFailures":[{}]})"})
    EXPECT_EQ(failed_items(bad, batch()), all) << bad;
  EXPECT_EQ(failed_items(R"({"batchItemFailures":[{"itemIdentifier":"b"}]})", batch()), second);
}

}  // namespace
}  // namespace reef::service::lambda
