// Reusable delegation sets and tags: small records that zones and health checks refer to.
#include <fmt/format.h>

#include "engine/store/records.h"
#include "service/route53/route53.h"
#include "wire/json.h"

namespace reef::service::route53 {

using wire::Json;

std::string delegation_key(std::string_view account, std::string_view id) { return fmt::format("route53/delegation/{}/{}", account, bare_id(id)); }

std::optional<std::vector<std::string>> delegation_servers(const Route53& route53, const Call& call, std::string_view id) {
  const std::string* text = route53.shard().records().find(delegation_key(call.account, id));
  const auto json = text ? Json::parse(*text) : Err(wire::JsonError{});
  if (!json) return std::nullopt;
  std::vector<std::string> out;
  for (const Json& server : (*json)["servers"].as_array()) out.push_back(server.as_string());
  return out;
}

// The four servers that AWS would give, one of each of its four domains.
std::vector<std::string> make_name_servers() {
  static constexpr std::string_view kDomains[] = {"com", "net", "org", "co.uk"};
  std::vector<std::string> out;
  for (std::size_t i = 0; i < 4; ++i)
    out.push_back(fmt::format("ns-{}.awsdns-{:02}.{}", i * 512 + thread_random().below(512), thread_random().below(64), kDomains[i]));
  return out;
}

std::string tags_key(const Call& call, std::string_view type, std::string_view id) { return fmt::format("route53/tags/{}/{}/{}", call.account, type, bare_id(id)); }

void forget_tags(Route53& route53, const Call& call, std::string_view type, std::string_view id) { route53.shard().records().erase(tags_key(call, type, id)); }

bool health_check_exists(const Route53& route53, std::string_view account, std::string_view id) {
  return route53.shard().records().find(fmt::format("route53/health/{}/{}", account, id)) != nullptr;
}

}  // namespace reef::service::route53
