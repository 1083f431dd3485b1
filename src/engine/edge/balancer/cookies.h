// Stickiness: the cookies by which a client comes back to the same target or group.
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html#sticky-sessions
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/edge/balancer/plan.h"
#include "wire/http1.h"

namespace reef::edge {

// The value of a cookie in a Cookie header, or "".
std::string_view cookie_value(std::string_view header, std::string_view name);

// By weight; groups of weight 0 get nothing unless all have it.
std::size_t choose_group(const std::vector<WeightedGroup>& groups, std::uint64_t random);
// The group that the AWSALBTG cookie names, if it is still one of `groups` and the cookie has not expired.
std::optional<std::size_t> read_group_cookie(std::string_view header, const std::vector<WeightedGroup>& groups, Time now);
// The key of the target that AWSALB or AWSALBAPP-0 names, or 0.
std::uint64_t read_target_cookie(std::string_view header, const GroupSettings& group, Time now);

// Set-Cookie lines for a reply: the target's and, with `sticky_groups`, the group's. An application's cookie makes the
// reply sticky only when the reply sets it (`sets_app_cookie`) or the request was sticky already (`came_with`).
std::string make_cookies(const GroupSettings& group, const Target& target, std::uint64_t came_with, bool sets_app_cookie, const Forward* sticky_groups,
                         std::size_t chosen_group, Time now);
// Whether a reply's head sets the cookie.
bool sets_cookie(std::string_view bytes, const wire::Http1Head& reply, std::string_view name);

}  // namespace reef::edge
