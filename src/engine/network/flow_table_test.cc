#include "engine/network/flow_table.h"

#include <gtest/gtest.h>

namespace reef::network {
namespace {

Time at(std::int64_t seconds) { return Time{} + std::chrono::seconds(seconds); }

Flow flow() {
  const auto one = [](std::string id, std::string_view address) {
    Interface out;
    out.id = std::move(id);
    out.account = "123";
    out.vpc = "vpc-1";
    out.subnet = "subnet-1";
    out.address = *parse_address(address);
    return Party{.address = out.address, .interface = std::make_shared<const Interface>(out), .names = {}};
  };
  return {.from = one("eni-a", "10.0.0.4"), .to = one("eni-b", "10.0.0.5"), .from_port = 40000, .to_port = 80};
}

TEST(FlowTable, AddsUpByFlowInBothDirections) {
  FlowTable table(TrafficKind::kAll);
  for (const FlowPart& part : parts_of(flow(), 100, 2, 1000, 3)) table.add(part, at(1000));
  for (const FlowPart& part : parts_of(flow(), 10, 1, 0, 0)) table.add(part, at(1007));
  const auto format = FlowFormat::parse("");
  const auto lines = table.take(*format, {}, at(990), at(1050));
  ASSERT_EQ(lines.size(), 4u);
  EXPECT_EQ(lines[0].text, "2 123 eni-a 10.0.0.4 10.0.0.5 40000 80 6 3 110 1000 1007 ACCEPT OK");
  EXPECT_EQ(lines[1].text, "2 123 eni-a 10.0.0.5 10.0.0.4 80 40000 6 3 1000 1000 1000 ACCEPT OK");
  EXPECT_EQ(lines[2].interface, "eni-b");
  EXPECT_TRUE(table.take(*format, {}, at(1050), at(1110)).empty());
}

TEST(FlowTable, ARefusalIsTheReceivers) {
  FlowTable rejects(TrafficKind::kReject), accepts(TrafficKind::kAccept);
  for (const FlowPart& part : parts_of_refused(flow(), {.refusal = Refusal::kIngress})) rejects.add(part, at(1)), accepts.add(part, at(1));
  const auto format = *FlowFormat::parse("${interface-id} ${action} ${packets} ${flow-direction} ${vpc-id} ${version}");
  const auto refused = rejects.take(format, {}, at(0), at(60)), accepted = accepts.take(format, {}, at(0), at(60));
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_EQ(refused[0].text, "eni-b REJECT 1 ingress vpc-1 5");
  ASSERT_EQ(accepted.size(), 1u);
  EXPECT_EQ(accepted[0].text, "eni-a ACCEPT 1 egress vpc-1 5");
  FlowTable own(TrafficKind::kAll);
  for (const FlowPart& part : parts_of_refused(flow(), {.refusal = Refusal::kEgress, .is_of_sender = true})) own.add(part, at(1));
  const auto lines = own.take(format, {}, at(0), at(60));
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0].text, "eni-a REJECT 1 egress vpc-1 5");
}

TEST(FlowTable, TellsSilenceAndWhatItSkipped) {
  FlowTable table(TrafficKind::kAll);
  Flow one = flow();
  const InterfacePtr quiet = one.to.interface;
  one.to.interface = nullptr;
  for (std::uint32_t i = 0; i < FlowTable::kFlowsMax + 5; ++i) {
    one.from_port = static_cast<std::uint16_t>(i);
    one.to.address = i >> 16;
    for (const FlowPart& part : parts_of(one, 1, 1, 0, 0)) table.add(part, at(1));
  }
  const auto lines = table.take(*FlowFormat::parse(""), {one.from.interface, quiet}, at(0), at(60));
  ASSERT_EQ(lines.size(), FlowTable::kFlowsMax + 2);
  EXPECT_EQ(lines[FlowTable::kFlowsMax].text, "2 123 eni-a - - - - - - - 0 60 - SKIPDATA");
  EXPECT_EQ(lines.back().text, "2 123 eni-b - - - - - - - 0 60 - NODATA");
}

TEST(FlowFormat, NamesWhatItDoesNotKnow) {
  EXPECT_EQ(FlowFormat::parse("${srcaddr} ${colour} plain").error().message, "colour, plain");
  EXPECT_EQ(FlowFormat::parse("${srcaddr}  ${az-id}")->text(), "${srcaddr} ${az-id}");
  EXPECT_EQ(FlowFormat::parse("${srcaddr} ${az-id}")->header(), "srcaddr az-id");
}

}  // namespace
}  // namespace reef::network
