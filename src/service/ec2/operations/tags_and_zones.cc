// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTags.html, API_DescribeTags.html,
// API_DescribeAvailabilityZones.html and API_DescribeRegions.html
#include <array>

#include "service/ec2/describe.h"

namespace reef::service::ec2::operations {
namespace {

// Most call them Tags, interfaces TagSet.
template <class T>
auto& tags_of(T& one) {
  if constexpr (requires { one.tag_set; }) return one.tag_set;
  else return one.tags;
}

template <class T, class Change>
bool change_tags_of(const Call& call, const std::string& id, const Change& change) {
  auto one = find<T>(call, id);
  if (!one) return false;
  Tags& tags = tags_of(*one);
  if (!tags) tags.emplace();
  change(*tags);
  put(call, *one);
  return true;
}

template <class T>
bool exists(const Call& call, const std::string& id) { return find<T>(call, id).has_value(); }

// Calls `visit.template operator()<T>()` for each kind until one answers true.
template <class Visit>
bool any_kind(const Visit& visit) {
  return visit.template operator()<model::Vpc>() || visit.template operator()<model::Subnet>() || visit.template operator()<model::InternetGateway>() ||
         visit.template operator()<model::RouteTable>() || visit.template operator()<model::SecurityGroup>() || visit.template operator()<model::SecurityGroupRule>() ||
         visit.template operator()<model::Address>() || visit.template operator()<model::NatGateway>() ||
         visit.template operator()<model::NetworkInterface>() || visit.template operator()<model::NetworkAcl>() ||
         visit.template operator()<model::DhcpOptions>() || visit.template operator()<model::ManagedPrefixList>() || visit.template operator()<model::VpcEndpoint>() ||
         visit.template operator()<model::FlowLog>();
}

template <class Change>
Reply<void> change_tags(const Call& call, const std::vector<std::string>& ids, const Change& change) {
  for (const std::string& id : ids)
    if (!any_kind([&]<class T>() { return exists<T>(call, id); }))
      return Err(aws::Error("InvalidID", fmt::format("The ID '{}' is not valid", id), 400));
  for (const std::string& id : ids) any_kind([&]<class T>() { return change_tags_of<T>(call, id, change); });
  return {};
}

constexpr std::array kRegions = {"ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2", "ca-central-1", "eu-central-1", "eu-north-1",
                                 "eu-west-1", "eu-west-2", "eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2"};

}  // namespace

Reply<model::CreateTagsOutput> CreateTags(const model::CreateTagsInput& in, const Call& call) {
  for (const model::Tag& tag : in.tags)
    if (tag.key.value_or("").starts_with("aws:")) return Err(invalid_value("Tag keys starting with 'aws:' are reserved for internal use"));
  TRY(change_tags(call, in.resources, [&](std::vector<model::Tag>& tags) {
    for (const model::Tag& tag : in.tags) {
      std::erase_if(tags, [&](const model::Tag& one) { return one.key == tag.key; });
      tags.push_back({.key = tag.key.value_or(""), .value = tag.value.value_or("")});
    }
  }));
  return model::CreateTagsOutput{};
}

Reply<model::DeleteTagsOutput> DeleteTags(const model::DeleteTagsInput& in, const Call& call) {
  TRY(change_tags(call, in.resources, [&](std::vector<model::Tag>& tags) {
    // No tags means all; a tag without a value goes whatever its value is.
    std::erase_if(tags, [&](const model::Tag& one) {
      if (!in.tags || in.tags->empty()) return !one.key->starts_with("aws:");
      return std::any_of(in.tags->begin(), in.tags->end(), [&](const model::Tag& tag) { return tag.key == one.key && (!tag.value || tag.value == one.value); });
    });
  }));
  return model::DeleteTagsOutput{};
}

Reply<model::DescribeTagsOutput> DescribeTags(const model::DescribeTagsInput& in, const Call& call) {
  const ValuesOf<model::TagDescription> values_of = [](const model::TagDescription& one, std::string_view name) -> std::optional<Values> {
    if (name == "key") return one_value(one.key);
    if (name == "value") return one_value(one.value);
    if (name == "resource-id") return one_value(one.resource_id);
    if (name == "resource-type") return one_value(one.resource_type);
    if (name.starts_with("tag:")) return one.key == name.substr(4) ? one_value(one.value) : Values{};
    return std::nullopt;
  };
  TRY(matches<model::TagDescription>({}, in.filters, values_of));
  std::vector<model::TagDescription> found;
  any_kind([&]<class T>() {
    for (const T& one : all<T>(call))
      for (const model::Tag& tag : tags_of(one).value_or(std::vector<model::Tag>{}))
        found.push_back({.key = tag.key, .resource_id = Kind<T>::id(one), .resource_type = std::string(Kind<T>::type), .value = tag.value});
    return false;
  });
  model::DescribeTagsOutput out;
  out.tags.emplace();
  const auto position = [](const model::TagDescription& one) { return *one.resource_type + "/" + *one.resource_id + "/" + *one.key; };
  std::sort(found.begin(), found.end(), [&](const auto& a, const auto& b) { return position(a) < position(b); });
  const std::size_t page = in.max_results && *in.max_results > 0 ? static_cast<std::size_t>(*in.max_results) : 1000;
  for (const auto& one : found) {
    if (in.next_token && position(one) <= *in.next_token) continue;
    if (!TRY(matches<model::TagDescription>(one, in.filters, values_of))) continue;
    if (out.tags->size() == page) {
      out.next_token = position(out.tags->back());
      break;
    }
    out.tags->push_back(one);
  }
  return out;
}

Reply<model::DescribeAvailabilityZonesOutput> DescribeAvailabilityZones(const model::DescribeAvailabilityZonesInput& in, const Call& call) {
  model::DescribeAvailabilityZonesOutput out;
  out.availability_zones.emplace();
  const auto zones = zone_names(call);
  for (const std::string& name : in.zone_names.value_or(Values{}))
    if (std::find(zones.begin(), zones.end(), name) == zones.end()) return Err(invalid_value(fmt::format("Invalid availability zone: [{}]", name)));
  for (const std::string& name : zones) {
    model::AvailabilityZone zone;
    zone.zone_name = name;
    zone.zone_id = zone_id(call, name);
    zone.region_name = call.region;
    zone.group_name = call.region;
    zone.network_border_group = call.region;
    zone.zone_type = "availability-zone";
    zone.state = "available";
    zone.opt_in_status = "opt-in-not-required";
    const ValuesOf<model::AvailabilityZone> values_of = [](const model::AvailabilityZone& one, std::string_view filter) -> std::optional<Values> {
      if (filter == "zone-name") return one_value(one.zone_name);
      if (filter == "zone-id") return one_value(one.zone_id);
      if (filter == "region-name") return one_value(one.region_name);
      if (filter == "group-name") return one_value(one.group_name);
      if (filter == "state") return one_value(one.state);
      if (filter == "zone-type") return one_value(one.zone_type);
      if (filter == "opt-in-status") return one_value(one.opt_in_status);
      return std::nullopt;
    };
    const bool named = (!in.zone_names || in.zone_names->empty() || matches_any({name}, *in.zone_names)) &&
                       (!in.zone_ids || in.zone_ids->empty() || matches_any({*zone.zone_id}, *in.zone_ids));
    if (TRY(matches<model::AvailabilityZone>(zone, in.filters, values_of)) && named) out.availability_zones->push_back(std::move(zone));
  }
  return out;
}

Reply<model::DescribeRegionsOutput> DescribeRegions(const model::DescribeRegionsInput& in, const Call&) {
  model::DescribeRegionsOutput out;
  out.regions.emplace();
  for (const std::string& name : in.region_names.value_or(Values{}))
    if (std::find(kRegions.begin(), kRegions.end(), name) == kRegions.end()) return Err(invalid_value(fmt::format("Invalid region provided: {}", name)));
  for (const std::string name : kRegions) {
    model::Region region;
    region.region_name = name;
    region.endpoint = fmt::format("ec2.{}.amazonaws.com", name);
    region.opt_in_status = "opt-in-not-required";
    const ValuesOf<model::Region> values_of = [](const model::Region& one, std::string_view filter) -> std::optional<Values> {
      if (filter == "region-name") return one_value(one.region_name);
      if (filter == "endpoint") return one_value(one.endpoint);
      if (filter == "opt-in-status") return one_value(one.opt_in_status);
      return std::nullopt;
    };
    const bool named = !in.region_names || in.region_names->empty() || matches_any({name}, *in.region_names);
    if (TRY(matches<model::Region>(region, in.filters, values_of)) && named) out.regions->push_back(std::move(region));
  }
  return out;
}

}  // namespace reef::service::ec2::operations
