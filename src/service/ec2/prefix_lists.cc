#include "service/ec2/prefix_lists.h"

namespace reef::service::ec2 {
namespace {

constexpr std::string_view kCurrent = "prefix-list-entries", kOfVersion = "prefix-list-version";
constexpr const char* kApiBlock = "169.254.100.1/32";

std::string version_id(const std::string& list, std::int64_t version) { return fmt::format("{}.{}", list, version); }

}  // namespace

PrefixEntries read_entries(const std::string& text) {
  auto out = aws::from_json_text<model::GetManagedPrefixListEntriesOutput>(text);
  return out ? out->entries.value_or(PrefixEntries{}) : PrefixEntries{};
}

void put_entries(const Call& call, const std::string& list, std::int64_t version, const PrefixEntries& entries) {
  const std::string text = aws::to_json_text(model::GetManagedPrefixListEntriesOutput{.entries = entries, .next_token = {}});
  put_record(call, kCurrent, list, text);
  put_record(call, kOfVersion, version_id(list, version), text);
}

std::optional<PrefixEntries> entries_of(const Call& call, const std::string& list, std::int64_t version) {
  const std::string* text = find_record(call, kOfVersion, version_id(list, version));
  return text ? std::optional(read_entries(*text)) : std::nullopt;
}

void erase_entries(const Call& call, const std::string& list, std::int64_t last_version) {
  erase_record(call, kCurrent, list);
  for (std::int64_t version = 1; version <= last_version; ++version) erase_record(call, kOfVersion, version_id(list, version));
}

model::PrefixList service_prefix_list(const Call& call, std::string_view service) {
  const bool is_s3 = service == "s3";
  // The ids that AWS gives them in us-east-1; elsewhere of the same form.
  std::string id = is_s3 ? "pl-63a5400a" : "pl-02cd2c6b";
  if (call.region != "us-east-1") id = fmt::format("pl-{:08x}", static_cast<std::uint32_t>(std::hash<std::string>{}(call.region + std::string(service))));
  return {.cidrs = std::vector<std::string>{kApiBlock}, .prefix_list_id = id, .prefix_list_name = fmt::format("com.amazonaws.{}.{}", call.region, service)};
}

}  // namespace reef::service::ec2
