// https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html
#include <fmt/format.h>

#include "base/encoding.h"
#include "service/cloudwatch/operations.h"
#include "service/cloudwatch/tags.h"
#include "wire/json.h"

namespace reef::service::cloudwatch {
namespace {

using wire::Json;

constexpr std::size_t kDashboardsPage = 100;

// Dashboards belong to an account, not to a region.
std::string dashboard_key(const Call& call, std::string_view name) { return fmt::format("cloudwatch/dashboard/{}/{}", call.account, name); }
std::string dashboard_arn(const Call& call, std::string_view name) { return fmt::format("arn:{}:cloudwatch::{}:dashboard/{}", call.partition, call.account, name); }

aws::Error no_dashboard(std::string_view name) { return {errors::kDashboardNotFoundError, fmt::format("Dashboard {} does not exist", name)}; }

}  // namespace

std::optional<Json> find_dashboard(const Call& call, std::string_view name) {
  const std::string* text = store::Shard::control().records().find(dashboard_key(call, name));
  auto json = text ? Json::parse(*text) : Err(wire::JsonError{});
  if (!json) return std::nullopt;
  return *std::move(json);
}

namespace operations {

Task<Reply<model::PutDashboardOutput>> PutDashboard(Cloudwatch&, const model::PutDashboardInput& in, const Call& call) {
  const auto refuse = [](std::string message, std::string path, std::string detail) {
    aws::Error error(errors::kDashboardInvalidInputError, std::move(message));
    error.fields = Json::object({{"dashboardValidationMessages", Json::array({Json::object({{"DataPath", std::move(path)}, {"Message", std::move(detail)}})})}});
    return Err(std::move(error));
  };
  if (in.dashboard_name.empty() || in.dashboard_name.size() > 255 ||
      in.dashboard_name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") != std::string::npos)
    co_return Err(invalid_value(fmt::format("The value {} for field DashboardName contains invalid characters. It can only contain alphanumerics, dash (-) and underscore (_).\n", in.dashboard_name)));
  const auto body = Json::parse(in.dashboard_body);
  if (!body || !body->is_object())
    co_return refuse("The field DashboardBody must be a valid JSON object", "/", body ? "The dashboard body is invalid, it must be a JSON object" : body.error().message);
  if (!(*body)["widgets"].is_array() && body->contains("widgets"))
    co_return refuse("The dashboard body is invalid, there are 1 validation errors.", "/widgets", "Should be an array");
  store::Shard::control().records().put(dashboard_key(call, in.dashboard_name),
                                        Json::object({{"body", in.dashboard_body}, {"modified", to_micros(call.now)}}).dump());
  if (in.tags) {
    Tags tags;
    add_tags(tags, *in.tags);
    save_tags(dashboard_arn(call, in.dashboard_name), tags);
  }
  co_await committed();
  model::PutDashboardOutput out;
  out.dashboard_validation_messages.emplace();
  co_return out;
}

Task<Reply<model::GetDashboardOutput>> GetDashboard(Cloudwatch&, const model::GetDashboardInput& in, const Call& call) {
  const auto found = find_dashboard(call, in.dashboard_name);
  if (!found) co_return Err(no_dashboard(in.dashboard_name));
  model::GetDashboardOutput out;
  out.dashboard_arn = dashboard_arn(call, in.dashboard_name);
  out.dashboard_name = in.dashboard_name;
  out.dashboard_body = found->text("body");
  co_return out;
}

Task<Reply<model::ListDashboardsOutput>> ListDashboards(Cloudwatch&, const model::ListDashboardsInput& in, const Call& call) {
  std::string after;
  if (in.next_token) after = dashboard_key(call, base64url_decode(*in.next_token).value_or(""));
  model::ListDashboardsOutput out;
  auto& entries = out.dashboard_entries.emplace();
  const std::string prefix = dashboard_key(call, in.dashboard_name_prefix.value_or(""));
  const std::size_t name_at = dashboard_key(call, "").size();
  store::Shard::control().records().scan(prefix, after, [&](std::string_view key, const std::string& text) {
    if (entries.size() == kDashboardsPage) {
      out.next_token = base64url_encode(*entries.back().dashboard_name);
      return false;
    }
    const auto json = Json::parse(text);
    if (!json) return true;
    model::DashboardEntry& entry = entries.emplace_back();
    entry.dashboard_name = std::string(key.substr(name_at));
    entry.dashboard_arn = dashboard_arn(call, *entry.dashboard_name);
    entry.last_modified = from_micros((*json)["modified"].as_int().value_or(0));
    entry.size = static_cast<std::int64_t>(json->text("body").size());
    return true;
  });
  co_return out;
}

Task<Reply<model::DeleteDashboardsOutput>> DeleteDashboards(Cloudwatch&, const model::DeleteDashboardsInput& in, const Call& call) {
  for (const std::string& name : in.dashboard_names)
    if (!find_dashboard(call, name)) co_return Err(no_dashboard(name));
  for (const std::string& name : in.dashboard_names) {
    store::Shard::control().records().erase(dashboard_key(call, name));
    erase_tags(dashboard_arn(call, name));
  }
  co_await committed();
  co_return model::DeleteDashboardsOutput{};
}

}  // namespace operations
}  // namespace reef::service::cloudwatch
