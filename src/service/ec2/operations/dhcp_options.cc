// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateDhcpOptions.html and its kin
#include <array>

#include "service/ec2/describe.h"

namespace reef::service::ec2::operations {
namespace {
constexpr std::array<std::string_view, 6> kKeys = {"domain-name-servers", "domain-name", "ntp-servers", "netbios-name-servers", "netbios-node-type", "ipv6-address-preferred-lease-time"};
}

Reply<model::CreateDhcpOptionsOutput> CreateDhcpOptions(const model::CreateDhcpOptionsInput& in, const Call& call) {
  model::DhcpOptions made;
  made.tags = TRY(tags_for(in.tag_specifications, "dhcp-options"));
  made.dhcp_configurations.emplace();
  for (const auto& one : in.dhcp_configurations) {
    const std::string key = one.key.value_or("");
    if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) return Err(invalid_value(fmt::format("Value ({}) for parameter key is invalid. Unknown DHCP option", key)));
    model::DhcpConfiguration configuration{.key = key, .values = std::vector<model::AttributeValue>{}};
    for (const std::string& value : one.values.value_or(Values{})) configuration.values->push_back({.value = value});
    made.dhcp_configurations->push_back(std::move(configuration));
  }
  if (made.dhcp_configurations->empty()) return Err(aws::Error("MissingParameter", "The request must contain the parameter dhcpConfiguration", 400));
  made.dhcp_options_id = new_id("dopt");
  made.owner_id = call.account;
  put(call, made);
  return model::CreateDhcpOptionsOutput{.dhcp_options = std::move(made)};
}

Reply<model::DeleteDhcpOptionsOutput> DeleteDhcpOptions(const model::DeleteDhcpOptionsInput& in, const Call& call) {
  TRY(get<model::DhcpOptions>(call, in.dhcp_options_id));
  for (const auto& vpc : all<model::Vpc>(call))
    if (vpc.dhcp_options_id == in.dhcp_options_id) return Err(in_use("dhcpOptions", in.dhcp_options_id));
  erase<model::DhcpOptions>(call, in.dhcp_options_id);
  return model::DeleteDhcpOptionsOutput{};
}

Reply<model::DescribeDhcpOptionsOutput> DescribeDhcpOptions(const model::DescribeDhcpOptionsInput& in, const Call& call) {
  model::DescribeDhcpOptionsOutput out;
  out.dhcp_options = TRY(choose<model::DhcpOptions>(call, in, in.dhcp_options_ids, [](const model::DhcpOptions& one, std::string_view name) -> std::optional<Values> {
    if (name == "dhcp-options-id") return one_value(one.dhcp_options_id);
    if (name == "owner-id") return one_value(one.owner_id);
    if (name != "key" && name != "value") return std::nullopt;
    Values values;
    if (one.dhcp_configurations)
      for (const auto& each : *one.dhcp_configurations) {
        if (name == "key") values.push_back(each.key.value_or(""));
        else
          for (const auto& value : *each.values) values.push_back(value.value.value_or(""));
      }
    return values;
  }, out.next_token));
  return out;
}

Reply<model::AssociateDhcpOptionsOutput> AssociateDhcpOptions(const model::AssociateDhcpOptionsInput& in, const Call& call) {
  auto vpc = TRY(get<model::Vpc>(call, in.vpc_id));
  if (in.dhcp_options_id != "default") TRY(get<model::DhcpOptions>(call, in.dhcp_options_id));
  vpc.dhcp_options_id = in.dhcp_options_id;
  put(call, vpc);
  return model::AssociateDhcpOptionsOutput{};
}

}  // namespace reef::service::ec2::operations
