// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFlowLogs.html and its kin
#include "engine/network/flow_table.h"
#include "service/ec2/describe.h"

namespace reef::service::ec2::operations {
namespace {

aws::Error invalid_parameter(std::string message) { return aws::Error("InvalidParameter", std::move(message), 400); }

// Whether the resource that shall be watched is there.
Reply<void> check_resource(const Call& call, const std::string& type, const std::string& id) {
  if (type == "VPC") {
    TRY(get<model::Vpc>(call, id));
  } else if (type == "Subnet") {
    TRY(get<model::Subnet>(call, id));
  } else if (type == "NetworkInterface") {
    TRY(get<model::NetworkInterface>(call, id));
  } else {
    return Err(aws::Error("UnsupportedOperation", fmt::format("Flow logs of a {} are not supported by this version of Atoll.", type), 400));
  }
  return {};
}

// What all flow logs of the request have in common.
Reply<model::FlowLog> flow_log_from(const model::CreateFlowLogsInput& in, const Call& call) {
  model::FlowLog out;
  const std::string traffic = in.traffic_type.value_or("ALL"), destination = in.log_destination_type.value_or("cloud-watch-logs");
  if (traffic != "ACCEPT" && traffic != "REJECT" && traffic != "ALL") return Err(invalid_value(fmt::format("Value ({}) for parameter trafficType is invalid.", traffic)));
  const int interval = in.max_aggregation_interval.value_or(600);
  if (interval != 60 && interval != 600) return Err(invalid_parameter("Invalid Flow Log Max Aggregation Interval"));
  const auto format = network::FlowFormat::parse(in.log_format.value_or(""));
  if (!format) return Err(invalid_parameter(fmt::format("Unknown fields provided: {}", format.error().message)));
  if (destination == "s3") {
    if (!in.log_destination || !in.log_destination->starts_with("arn:") || in.log_destination->find(":s3:::") == std::string::npos)
      return Err(invalid_parameter("LogDestination must be the ARN of an S3 bucket when LogDestinationType is s3."));
    if (in.log_group_name) return Err(invalid_parameter("LogGroupName cannot be given when LogDestinationType is s3."));
    if (in.destination_options && in.destination_options->file_format.value_or("plain-text") != "plain-text")
      return Err(aws::Error("UnsupportedOperation", fmt::format("Flow logs as {} are not supported by this version of Atoll.", *in.destination_options->file_format), 400));
    out.log_destination = in.log_destination;
    if (in.destination_options)
      out.destination_options = model::DestinationOptionsResponse{.file_format = in.destination_options->file_format, .hive_compatible_partitions = in.destination_options->hive_compatible_partitions,
                                                                  .per_hour_partition = in.destination_options->per_hour_partition};
  } else if (destination == "cloud-watch-logs") {
    if (!in.deliver_logs_permission_arn) return Err(invalid_parameter("DeliverLogsPermissionArn can't be empty if LogDestinationType is cloud-watch-logs."));
    if (!in.log_group_name && !in.log_destination) return Err(invalid_parameter("LogGroupName can't be empty if LogDestinationType is cloud-watch-logs."));
    std::string group = in.log_group_name.value_or("");
    if (group.empty()) {
      const auto at = in.log_destination->find(":log-group:");
      if (at == std::string::npos) return Err(invalid_parameter("LogDestination must be the ARN of a log group."));
      group = in.log_destination->substr(at + 11);
      if (group.ends_with(":*")) group.resize(group.size() - 2);
    }
    out.log_group_name = group;
    out.log_destination = call.arn("logs", "log-group:" + group);
    out.deliver_logs_permission_arn = in.deliver_logs_permission_arn;
  } else {
    return Err(aws::Error("UnsupportedOperation", fmt::format("Flow logs to {} are not supported by this version of Atoll.", destination), 400));
  }
  out.tags = TRY(tags_for(in.tag_specifications, "vpc-flow-log"));
  out.creation_time = call.now;
  out.deliver_logs_status = "SUCCESS";
  out.flow_log_status = "ACTIVE";
  out.traffic_type = traffic;
  out.log_destination_type = destination;
  out.log_format = format->text();
  out.max_aggregation_interval = interval;
  return out;
}

}  // namespace

Reply<model::CreateFlowLogsOutput> CreateFlowLogs(const model::CreateFlowLogsInput& in, const Call& call) {
  if (in.resource_ids.empty()) return Err(aws::Error("MissingParameter", "The request must contain the parameter ResourceIds", 400));
  const auto wanted = TRY(flow_log_from(in, call));
  for (const std::string& id : in.resource_ids) TRY(check_resource(call, in.resource_type, id));
  for (const auto& other : all<model::FlowLog>(call))
    if (std::find(in.resource_ids.begin(), in.resource_ids.end(), *other.resource_id) != in.resource_ids.end() && other.log_destination == wanted.log_destination &&
        other.traffic_type == wanted.traffic_type && other.log_format == wanted.log_format)
      return Err(aws::Error("FlowLogAlreadyExists", "Error. There is an existing Flow Log with the same configuration and log destination.", 400));
  model::CreateFlowLogsOutput out;
  out.client_token = in.client_token;
  out.flow_log_ids.emplace();
  out.unsuccessful.emplace();
  for (const std::string& id : in.resource_ids) {
    auto one = wanted;
    one.flow_log_id = new_id("fl");
    one.resource_id = id;
    put(call, one);
    out.flow_log_ids->push_back(*one.flow_log_id);
  }
  return out;
}

Reply<model::DescribeFlowLogsOutput> DescribeFlowLogs(const model::DescribeFlowLogsInput& in, const Call& call) {
  model::DescribeFlowLogsOutput out;
  struct {
    Filters filters;
    std::optional<std::int32_t> max_results;
    std::optional<std::string> next_token;
  } const wanted{in.filter, in.max_results, in.next_token};
  out.flow_logs = TRY(choose<model::FlowLog>(call, wanted, in.flow_log_ids, [](const model::FlowLog& one, std::string_view name) -> std::optional<Values> {
    if (name == "flow-log-id") return one_value(one.flow_log_id);
    if (name == "resource-id") return one_value(one.resource_id);
    if (name == "traffic-type") return one_value(one.traffic_type);
    if (name == "log-destination-type") return one_value(one.log_destination_type);
    if (name == "log-group-name") return one_value(one.log_group_name);
    if (name == "deliver-log-status") return one_value(one.deliver_logs_status);
    return std::nullopt;
  }, out.next_token));
  return out;
}

Reply<model::DeleteFlowLogsOutput> DeleteFlowLogs(const model::DeleteFlowLogsInput& in, const Call& call) {
  for (const std::string& id : in.flow_log_ids) TRY(get<model::FlowLog>(call, id));
  for (const std::string& id : in.flow_log_ids) erase<model::FlowLog>(call, id);
  return model::DeleteFlowLogsOutput{.unsuccessful = std::vector<model::UnsuccessfulItem>{}};
}

}  // namespace reef::service::ec2::operations
