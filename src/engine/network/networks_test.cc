#include "engine/network/networks.h"

#include <gtest/gtest.h>

namespace reef::network {
namespace {

std::uint32_t address(std::string_view text) { return *parse_address(text); }

class NetworksTest : public ::testing::Test {
 protected:
  void interface(const std::string& id, std::string_view at, std::vector<std::string> groups, const std::string& subnet = "subnet-a", const std::string& vpc = "vpc-1") {
    networks.put_interface({.id = id, .account = "1", .region = "r", .vpc = vpc, .subnet = subnet, .address = address(at), .groups = std::move(groups)});
    networks.set_owner(id, "owner-" + id, {id});
  }
  void open_egress(const std::string& group) { networks.put_rule("out-" + group, {.group = group, .egress = true, .range = parse_cidr("0.0.0.0/0")}); }
  Flow flow(std::string_view from, std::string_view to, int port = 80) const {
    const auto view = networks.view();
    return {.from = {.address = address(from), .interface = view->at(address(from)), .names = {}}, .to = {.address = address(to), .interface = view->at(address(to)), .names = {}},
            .from_port = 40000, .to_port = static_cast<std::uint16_t>(port)};
  }
  Refusal decide(std::string_view from, std::string_view to, int port = 80) const { return networks.view()->decide(flow(from, to, port)).refusal; }
  Networks networks;
};

TEST_F(NetworksTest, GroupsDecideBothWays) {
  interface("a", "10.0.0.4", {"sg-a"});
  interface("b", "10.0.0.5", {"sg-b"});
  networks.publish();
  EXPECT_EQ(decide("10.0.0.4", "10.0.0.5"), Refusal::kEgress);
  open_egress("sg-a");
  networks.publish();
  EXPECT_EQ(decide("10.0.0.4", "10.0.0.5"), Refusal::kIngress);
  networks.put_rule("r", {.group = "sg-b", .protocol = kTcp, .from_port = 80, .to_port = 80, .peer_group = "sg-a"});
  networks.publish();
  EXPECT_EQ(decide("10.0.0.4", "10.0.0.5"), Refusal::kNone);
  EXPECT_EQ(decide("10.0.0.4", "10.0.0.5", 81), Refusal::kIngress);
  networks.erase_rule("r");
  networks.publish();
  EXPECT_EQ(decide("10.0.0.4", "10.0.0.5"), Refusal::kIngress);
}

TEST_F(NetworksTest, AnyOfAnInterfacesGroupsMayAdmit) {
  interface("a", "10.0.0.4", {"sg-a"});
  interface("b", "10.0.0.5", {"sg-x", "sg-b"});
  open_egress("sg-a");
  networks.put_rule("r", {.group = "sg-b", .range = parse_cidr("10.0.0.0/24")});
  networks.publish();
  EXPECT_EQ(decide("10.0.0.4", "10.0.0.5"), Refusal::kNone);
}

TEST_F(NetworksTest, PrefixListsFollowTheirEntries) {
  interface("a", "10.0.0.4", {"sg-a"});
  interface("b", "10.0.0.5", {"sg-b"});
  open_egress("sg-a");
  networks.put_rule("r", {.group = "sg-b", .prefix_list = "pl-1"});
  networks.publish();
  EXPECT_EQ(decide("10.0.0.4", "10.0.0.5"), Refusal::kIngress);
  networks.put_prefix_list("pl-1", {*parse_cidr("10.0.0.4/32")});
  networks.publish();
  EXPECT_EQ(decide("10.0.0.4", "10.0.0.5"), Refusal::kNone);
  networks.erase_prefix_list("pl-1");
  networks.publish();
  EXPECT_EQ(decide("10.0.0.4", "10.0.0.5"), Refusal::kIngress);
}

TEST_F(NetworksTest, AccessListsLookBetweenSubnetsAndAtEveryPacket) {
  interface("a", "10.0.0.4", {}, "subnet-a");
  interface("b", "10.0.1.4", {}, "subnet-b");
  interface("c", "10.0.1.5", {}, "subnet-b");
  const AccessEntry in{.number = 100, .egress = false, .allow = true, .protocol = kTcp, .from_port = 80, .to_port = 80, .range = *parse_cidr("10.0.0.0/16")};
  AccessEntry out{.number = 100, .egress = true, .allow = true, .protocol = kTcp, .from_port = 1024, .to_port = 65535, .range = *parse_cidr("10.0.0.0/16")};
  networks.put_access_list({.id = "acl-1", .entries = {in}, .subnets = {"subnet-b"}});
  networks.publish();
  EXPECT_EQ(decide("10.0.0.4", "10.0.1.4"), Refusal::kAccessList);
  EXPECT_EQ(decide("10.0.1.5", "10.0.1.4"), Refusal::kNone);
  networks.put_access_list({.id = "acl-1", .entries = {in, out}, .subnets = {"subnet-b"}});
  networks.publish();
  EXPECT_EQ(decide("10.0.0.4", "10.0.1.4"), Refusal::kNone);
  const Flow open = flow("10.0.0.4", "10.0.1.4");
  networks.put_access_list({.id = "acl-1", .entries = {{.number = 1, .egress = false, .allow = false, .range = *parse_cidr("10.0.0.4/32")}, in, out}, .subnets = {"subnet-b"}});
  networks.publish();
  const auto view = networks.view();
  EXPECT_FALSE(view->decide_open(view->as_now(open)).passes());
}

TEST_F(NetworksTest, GroupsDoNotEndWhatIsOpen) {
  interface("a", "10.0.0.4", {"sg-a"});
  interface("b", "10.0.0.5", {"sg-b"});
  networks.publish();
  EXPECT_TRUE(networks.view()->decide_open(flow("10.0.0.4", "10.0.0.5")).passes());
}

TEST_F(NetworksTest, VpcsAreApart) {
  interface("a", "10.0.0.4", {}, "subnet-a", "vpc-1");
  interface("b", "10.9.0.4", {}, "subnet-b", "vpc-2");
  networks.publish();
  EXPECT_EQ(decide("10.0.0.4", "10.9.0.4"), Refusal::kNoRoute);
  Flow to_balancer = flow("10.0.0.4", "10.9.0.4");
  to_balancer.to_front = true;
  EXPECT_TRUE(networks.view()->decide(to_balancer).passes());
  // A function outside of every VPC.
  Flow outside{.from = {}, .to = flow("10.0.0.4", "10.9.0.4").to, .to_port = 80};
  EXPECT_EQ(networks.view()->decide(outside).refusal, Refusal::kNoRoute);
}

TEST_F(NetworksTest, PartitionsSeparateNamesAndBlocks) {
  interface("a", "10.0.0.4", {});
  interface("b", "10.0.0.5", {});
  networks.add_partition({.a = "a", .b = "10.0.0.5/32", .until = {}});
  networks.publish();
  EXPECT_EQ(decide("10.0.0.4", "10.0.0.5"), Refusal::kPartition);
  EXPECT_EQ(decide("10.0.0.5", "10.0.0.4"), Refusal::kPartition);
  EXPECT_EQ(networks.view()->count_called("10.0.0.0/24"), 2u);
  EXPECT_TRUE(networks.remove_partition({.a = "10.0.0.5/32", .b = "a", .until = {}}));
  networks.publish();
  EXPECT_EQ(decide("10.0.0.4", "10.0.0.5"), Refusal::kNone);
}

TEST_F(NetworksTest, ABalancerIsItsNearestInterface) {
  interface("b1", "10.0.0.4", {}, "subnet-a");
  interface("b2", "10.0.1.4", {}, "subnet-b");
  interface("t", "10.0.1.9", {}, "subnet-b");
  networks.set_owner("b1", "balancer", {"web"});
  networks.set_owner("b2", "balancer", {"web"});
  networks.set_caller("group", "balancer");
  networks.set_front(address("127.64.0.3"), "balancer");
  networks.publish();
  const auto view = networks.view();
  ASSERT_EQ(view->behind("group").size(), 2u);
  EXPECT_EQ(View::nearest(view->behind("group"), view->at(address("10.0.1.9")))->id, "b2");
  EXPECT_EQ(*view->front(address("127.64.0.3")), "balancer");
  EXPECT_EQ(networks.interfaces_of("balancer").size(), 2u);
}

TEST_F(NetworksTest, AddressesAreFreeOnceOverAllNetworks) {
  const Cidr block = *parse_cidr("10.0.0.0/28");
  EXPECT_EQ(address_text(*networks.free_address(block)), "10.0.0.4");
  interface("a", "10.0.0.5", {});
  networks.avoid(address("10.0.0.6"));
  EXPECT_EQ(address_text(*networks.free_address(block)), "10.0.0.7");
  for (int i = 0; i < 11; ++i)
    if (const auto free = networks.free_address(block)) interface("x" + std::to_string(i), address_text(*free), {});
  EXPECT_EQ(networks.free_address(block), std::nullopt);
  networks.erase_interface("a");
  EXPECT_EQ(address_text(*networks.free_address(block)), "10.0.0.5");
}

TEST_F(NetworksTest, ARefusalSaysWhatToChange) {
  interface("a", "10.0.0.4", {"sg-a"});
  interface("b", "10.0.0.5", {"sg-b"});
  open_egress("sg-a");
  networks.publish();
  const Flow refused = flow("10.0.0.4", "10.0.0.5", 8080);
  const std::string text = View::explain(refused, networks.view()->decide(refused));
  EXPECT_NE(text.find("a (10.0.0.4) to b (10.0.0.5) port 8080 is refused by security group sg-b"), std::string::npos) << text;
  EXPECT_NE(text.find("authorize-security-group-ingress --group-id sg-b --ip-permissions 'IpProtocol=tcp,FromPort=8080,ToPort=8080,UserIdGroupPairs=[{GroupId=sg-a}]'"), std::string::npos) << text;
}

}  // namespace
}  // namespace reef::network
