// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateManagedPrefixList.html and its kin
#include "service/ec2/describe.h"
#include "service/ec2/prefix_lists.h"

namespace reef::service::ec2::operations {
namespace {

Reply<void> add_entries(PrefixEntries& to, const std::optional<std::vector<model::AddPrefixListEntry>>& added) {
  for (const auto& one : added.value_or(std::vector<model::AddPrefixListEntry>{})) {
    const auto block = parse_cidr(one.cidr);
    if (!block) return Err(invalid_value(fmt::format("Value ({}) for parameter Cidr is invalid. The CIDR is not valid.", one.cidr)));
    const auto same = std::find_if(to.begin(), to.end(), [&](const auto& other) { return other.cidr == block->text(); });
    if (same != to.end()) same->description = one.description;
    else to.push_back({.cidr = block->text(), .description = one.description});
  }
  return {};
}

Reply<void> check_count(std::size_t entries, int most) {
  if (entries <= static_cast<std::size_t>(most)) return {};
  return Err(aws::Error("PrefixListMaxEntriesExceeded", fmt::format("You've reached the maximum number of entries for the prefix list: {}.", most), 400));
}

}  // namespace

Reply<model::CreateManagedPrefixListOutput> CreateManagedPrefixList(const model::CreateManagedPrefixListInput& in, const Call& call) {
  if (in.address_family != "IPv4") {
    if (in.address_family == "IPv6") return Err(aws::Error("UnsupportedOperation", "Prefix lists for IPv6 are not supported by this version of Atoll.", 400));
    return Err(invalid_value(fmt::format("Value ({}) for parameter AddressFamily is invalid. Valid values: IPv4, IPv6.", in.address_family)));
  }
  if (in.prefix_list_name.starts_with("com.amazonaws")) return Err(invalid_value(fmt::format("Value ({}) for parameter PrefixListName is invalid. The name cannot start with com.amazonaws.", in.prefix_list_name)));
  if (in.max_entries < 1 || in.max_entries > 1000) return Err(invalid_value(fmt::format("Value ({}) for parameter MaxEntries is invalid. It must be between 1 and 1000.", in.max_entries)));
  PrefixEntries entries;
  TRY(add_entries(entries, in.entries));
  TRY(check_count(entries.size(), in.max_entries));
  model::ManagedPrefixList made;
  made.tags = TRY(tags_for(in.tag_specifications, "prefix-list"));
  made.prefix_list_id = new_id("pl");
  made.address_family = in.address_family;
  made.state = "create-complete";
  made.prefix_list_arn = call.arn("ec2", "prefix-list/" + *made.prefix_list_id);
  made.prefix_list_name = in.prefix_list_name;
  made.max_entries = in.max_entries;
  made.version = 1;
  made.owner_id = call.account;
  put(call, made);
  put_entries(call, *made.prefix_list_id, 1, entries);
  made.state = "create-in-progress";
  return model::CreateManagedPrefixListOutput{.prefix_list = std::move(made)};
}

Reply<model::DeleteManagedPrefixListOutput> DeleteManagedPrefixList(const model::DeleteManagedPrefixListInput& in, const Call& call) {
  auto list = TRY(get<model::ManagedPrefixList>(call, in.prefix_list_id));
  for (const auto& rule : all<model::SecurityGroupRule>(call))
    if (rule.prefix_list_id == in.prefix_list_id) return Err(aws::Error("DependencyViolation", fmt::format("resource {} has a dependent object", in.prefix_list_id), 400));
  erase<model::ManagedPrefixList>(call, in.prefix_list_id);
  erase_entries(call, in.prefix_list_id, list.version.value_or(1));
  list.state = "delete-in-progress";
  return model::DeleteManagedPrefixListOutput{.prefix_list = std::move(list)};
}

Reply<model::DescribeManagedPrefixListsOutput> DescribeManagedPrefixLists(const model::DescribeManagedPrefixListsInput& in, const Call& call) {
  model::DescribeManagedPrefixListsOutput out;
  const ValuesOf<model::ManagedPrefixList> values_of = [](const model::ManagedPrefixList& one, std::string_view name) -> std::optional<Values> {
    if (name == "prefix-list-id") return one_value(one.prefix_list_id);
    if (name == "prefix-list-name") return one_value(one.prefix_list_name);
    if (name == "owner-id") return one_value(one.owner_id);
    return std::nullopt;
  };
  std::optional<std::vector<std::string>> ids = in.prefix_list_ids;
  std::vector<model::ManagedPrefixList> own;
  for (const std::string_view service : {"s3", "dynamodb"}) {
    const auto list = service_prefix_list(call, service);
    if (ids && !ids->empty() && std::erase(*ids, *list.prefix_list_id) == 0) continue;
    model::ManagedPrefixList shown;
    shown.prefix_list_id = list.prefix_list_id;
    shown.prefix_list_name = list.prefix_list_name;
    shown.address_family = "IPv4";
    shown.state = "create-complete";
    shown.owner_id = "AWS";
    shown.prefix_list_arn = fmt::format("arn:aws:ec2:{}:aws:prefix-list/{}", call.region, *list.prefix_list_id);
    shown.tags = std::vector<model::Tag>{};
    if (TRY(matches<model::ManagedPrefixList>(shown, in.filters, values_of))) own.push_back(std::move(shown));
  }
  out.prefix_lists.emplace();
  const bool only_own = in.prefix_list_ids && !in.prefix_list_ids->empty() && ids->empty();
  if (!only_own) out.prefix_lists = TRY(choose<model::ManagedPrefixList>(call, in, ids, values_of, out.next_token));
  if (!in.next_token) out.prefix_lists->insert(out.prefix_lists->end(), own.begin(), own.end());
  return out;
}

Reply<model::GetManagedPrefixListEntriesOutput> GetManagedPrefixListEntries(const model::GetManagedPrefixListEntriesInput& in, const Call& call) {
  for (const std::string_view service : {"s3", "dynamodb"}) {
    const auto list = service_prefix_list(call, service);
    if (list.prefix_list_id == in.prefix_list_id) return model::GetManagedPrefixListEntriesOutput{.entries = PrefixEntries{{.cidr = list.cidrs->front(), .description = {}}}, .next_token = {}};
  }
  const auto list = TRY(get<model::ManagedPrefixList>(call, in.prefix_list_id));
  auto entries = entries_of(call, in.prefix_list_id, in.target_version.value_or(*list.version));
  if (!entries) return Err(aws::Error("PrefixListVersionNotFound", fmt::format("The prefix list version '{}' does not exist", in.target_version.value_or(0)), 400));
  return model::GetManagedPrefixListEntriesOutput{.entries = *std::move(entries), .next_token = {}};
}

Reply<model::ModifyManagedPrefixListOutput> ModifyManagedPrefixList(const model::ModifyManagedPrefixListInput& in, const Call& call) {
  auto list = TRY(get<model::ManagedPrefixList>(call, in.prefix_list_id));
  if (in.current_version && in.current_version != list.version) return Err(aws::Error("PrefixListVersionMismatch", "The prefix list has the incorrect version number.", 400));
  if (in.prefix_list_name) list.prefix_list_name = in.prefix_list_name;
  auto entries = *entries_of(call, in.prefix_list_id, *list.version);
  const bool changes = (in.add_entries && !in.add_entries->empty()) || (in.remove_entries && !in.remove_entries->empty());
  for (const auto& gone : in.remove_entries.value_or(std::vector<model::RemovePrefixListEntry>{})) {
    const auto block = parse_cidr(gone.cidr);
    if (!block || std::erase_if(entries, [&](const auto& one) { return one.cidr == block->text(); }) == 0)
      return Err(invalid_value(fmt::format("The specified CIDR ({}) does not exist in the prefix list.", gone.cidr)));
  }
  TRY(add_entries(entries, in.add_entries));
  if (in.max_entries) list.max_entries = in.max_entries;
  TRY(check_count(entries.size(), *list.max_entries));
  if (changes) {
    list.version = *list.version + 1;
    put_entries(call, in.prefix_list_id, *list.version, entries);
  }
  list.state = "modify-complete";
  put(call, list);
  list.state = "modify-in-progress";
  return model::ModifyManagedPrefixListOutput{.prefix_list = std::move(list)};
}

Reply<model::DescribePrefixListsOutput> DescribePrefixLists(const model::DescribePrefixListsInput& in, const Call& call) {
  model::DescribePrefixListsOutput out;
  out.prefix_lists.emplace();
  const ValuesOf<model::PrefixList> values_of = [](const model::PrefixList& one, std::string_view name) -> std::optional<Values> {
    if (name == "prefix-list-id") return one_value(one.prefix_list_id);
    if (name == "prefix-list-name") return one_value(one.prefix_list_name);
    return std::nullopt;
  };
  for (const std::string_view service : {"s3", "dynamodb"}) {
    auto one = service_prefix_list(call, service);
    const auto& ids = in.prefix_list_ids;
    if (ids && !ids->empty() && std::find(ids->begin(), ids->end(), *one.prefix_list_id) == ids->end()) continue;
    if (TRY(matches<model::PrefixList>(one, in.filters, values_of))) out.prefix_lists->push_back(std::move(one));
  }
  return out;
}

}  // namespace reef::service::ec2::operations
