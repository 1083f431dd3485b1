// What the files of this service share: the model's names, metrics as requests name them, AWS's errors and roundings.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/caller.h"
#include "aws/models/cloudwatch.h"
#include "aws/service.h"
#include "aws/unmodelled_errors.h"
#include "engine/metrics/metrics.h"
#include "engine/store/records.h"
#include "engine/store/shard.h"

namespace reef::service::cloudwatch {

namespace model = aws::cloudwatch;
namespace errors = aws::cloudwatch::errors;
template <class T>
using Reply = aws::Reply<T>;
using aws::Call;

inline auto committed() { return store::Shard::control().committed(); }
inline std::string scope_of(const Call& call) { return call.account + "/" + call.region; }

// A metric as requests name it; its dimensions in order of name.
metrics::MetricId metric_id(std::string scope, std::string_view space, std::string_view name, const std::optional<std::vector<model::Dimension>>& dimensions);
std::vector<model::Dimension> to_model(const metrics::Dimensions& dimensions);

aws::Error invalid_value(std::string message);
aws::Error invalid_combination(std::string message);

// Rounds the beginning of a request as AWS does, by its age: to the minute, 5 minutes or an hour; to the period when that
// is shorter than a minute.
std::int64_t round_start(std::int64_t start, std::int64_t now, std::int64_t period);
// 1, 5, 10, 20, 30 or a multiple of 60.
bool is_period(std::int64_t period);

}  // namespace reef::service::cloudwatch
