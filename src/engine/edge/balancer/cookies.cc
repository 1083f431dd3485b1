#include "engine/edge/balancer/cookies.h"

#include <cstring>
#include <functional>

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/text.h"

namespace reef::edge {
namespace {

// What a cookie says: whom it names and until when. Opaque to clients; forging one gains nothing but a choice of target.
struct Ticket {
  std::uint64_t key;
  std::int64_t expires;   // microseconds
};

std::string seal(const Ticket& ticket) {
  char bytes[sizeof ticket];
  std::memcpy(bytes, &ticket, sizeof ticket);
  return base64_encode({bytes, sizeof bytes});
}

std::uint64_t open(std::string_view text, Time now) {
  const auto bytes = base64_decode(text);
  Ticket ticket{};
  if (!bytes || bytes->size() != sizeof ticket) return 0;
  std::memcpy(&ticket, bytes->data(), sizeof ticket);
  return ticket.expires > to_micros(now) ? ticket.key : 0;
}

std::uint64_t key_of(std::string_view group) { return std::hash<std::string_view>{}(group); }

void add_pair(std::string& out, std::string_view name, std::uint64_t key, Duration lasts, Time now) {
  const std::string value = seal({key, to_micros(now + lasts)});
  const std::string expires = format_http_date(now + lasts);
  out += fmt::format("Set-Cookie: {}={}; Expires={}; Path=/\r\nSet-Cookie: {}CORS={}; Expires={}; Path=/; SameSite=None\r\n", name, value, expires, name,
                     value, expires);
}

}  // namespace

std::string_view cookie_value(std::string_view header, std::string_view name) {
  while (!header.empty()) {
    const auto end = header.find(';');
    const std::string_view pair = trim(header.substr(0, end));
    if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=') return pair.substr(name.size() + 1);
    if (end == std::string_view::npos) break;
    header.remove_prefix(end + 1);
  }
  return {};
}

std::size_t choose_group(const std::vector<WeightedGroup>& groups, std::uint64_t random) {
  std::uint64_t total = 0;
  for (const WeightedGroup& group : groups) total += static_cast<std::uint64_t>(group.weight);
  if (total == 0) return 0;
  std::uint64_t point = static_cast<std::uint64_t>((static_cast<unsigned __int128>(random) * total) >> 64);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const auto weight = static_cast<std::uint64_t>(groups[i].weight);
    if (point < weight) return i;
    point -= weight;
  }
  return groups.size() - 1;
}

std::optional<std::size_t> read_group_cookie(std::string_view header, const std::vector<WeightedGroup>& groups, Time now) {
  const std::uint64_t key = open(cookie_value(header, "AWSALBTG"), now);
  if (key == 0) return std::nullopt;
  for (std::size_t i = 0; i < groups.size(); ++i)
    if (key_of(groups[i].group) == key) return i;
  return std::nullopt;
}

std::uint64_t read_target_cookie(std::string_view header, const GroupSettings& group, Time now) {
  const bool is_app = group.stickiness == Stickiness::kAppCookie;
  // The application's cookie has to be there too: when it goes, so does the stickiness.
  if (is_app && cookie_value(header, group.app_cookie).empty()) return 0;
  return open(cookie_value(header, is_app ? "AWSALBAPP-0" : "AWSALB"), now);
}

bool sets_cookie(std::string_view bytes, const wire::Http1Head& reply, std::string_view name) {
  for (const wire::Http1Field& field : reply.fields) {
    if (field.name_size != 10 || !equals_ignoring_case(bytes.substr(field.name_at, field.name_size), "set-cookie")) continue;
    const std::string_view value = bytes.substr(field.value_at, field.value_size);
    if (value.starts_with(name) && value.size() > name.size() && value[name.size()] == '=') return true;
  }
  return false;
}

std::string make_cookies(const GroupSettings& group, const Target& target, std::uint64_t came_with, bool sets_app_cookie, const Forward* sticky_groups,
                         std::size_t chosen_group, Time now) {
  std::string out;
  if (sticky_groups) add_pair(out, "AWSALBTG", key_of(sticky_groups->groups[chosen_group].group), *sticky_groups->stickiness, now);
  if (group.stickiness == Stickiness::kBalancerCookie) add_pair(out, "AWSALB", target.key, group.stickiness_duration, now);
  if (group.stickiness == Stickiness::kAppCookie && (came_with != 0 || sets_app_cookie))
    out += fmt::format("Set-Cookie: AWSALBAPP-0={}; Expires={}; Path=/\r\n", seal({target.key, to_micros(now + group.stickiness_duration)}),
                       format_http_date(now + group.stickiness_duration));
  return out;
}

}  // namespace reef::edge
