// Tags of alarms and dashboards: a record for each ARN.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "service/cloudwatch/cloudwatch.h"

namespace reef::service::cloudwatch {

using Tags = std::map<std::string, std::string, std::less<>>;
inline constexpr std::size_t kTagsMax = 50;

Tags load_tags(std::string_view arn);
void save_tags(std::string_view arn, const Tags& tags);
void erase_tags(std::string_view arn);
void add_tags(Tags& tags, const std::vector<model::Tag>& more);

}  // namespace reef::service::cloudwatch
