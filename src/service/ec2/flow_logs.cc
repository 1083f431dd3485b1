#include "service/ec2/flow_logs.h"

#include <zlib.h>

#include <algorithm>

#include "base/encoding.h"
#include "base/log.h"
#include "base/random.h"
#include "engine/store/shard.h"

namespace reef::service::ec2 {
namespace {

using wire::Json;

std::string gzip(std::string_view text) {
  z_stream stream{};
  if (::deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) return {};
  std::string out(::deflateBound(&stream, text.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  ::deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

network::TrafficKind kind_of(const model::FlowLog& log) {
  if (log.traffic_type == "ACCEPT") return network::TrafficKind::kAccept;
  if (log.traffic_type == "REJECT") return network::TrafficKind::kReject;
  return network::TrafficKind::kAll;
}

bool concerns(const network::Interface& interface, const std::string& resource) { return interface.vpc == resource || interface.subnet == resource || interface.id == resource; }

// "2026-11-21T10:05:00Z" without its signs, to the minute.
std::string compact(const std::string& iso) { return iso.substr(0, 4) + iso.substr(5, 2) + iso.substr(8, 2) + "T" + iso.substr(11, 2) + iso.substr(14, 2) + "Z"; }

}  // namespace

FlowLogs::FlowLogs(Parts& parts, network::Networks& networks)
    : networks_(networks), connections_(parts.get<network::Connections>()), logs_(parts.get<telemetry::Logs>()), caller_(parts.get<aws::Caller>()) {
  const auto send = [this](std::vector<network::FlowPart> flow_parts) {
    store::Shard::control().reactor().post([this, flow_parts = std::move(flow_parts)]() mutable { add(std::move(flow_parts)); });
  };
  connections_.set_report([this, send](const network::Flow& flow, const network::Traffic& since, bool) {
    if (is_recording_) send(network::parts_of(flow, since.sent_bytes, since.sent_packets, since.received_bytes, since.received_packets));
  });
  networks_.on_refused = [this, send](const network::Flow& flow, const network::Verdict& verdict) {
    if (is_recording_) send(network::parts_of_refused(flow, verdict));
  };
}

void FlowLogs::add(std::vector<network::FlowPart> parts) {
  const Time now = store::Shard::control().now();
  for (const auto& [id, running] : running_)
    for (const network::FlowPart& part : parts)
      if (concerns(*part.interface, *running->log.resource_id)) running->table.add(part, now);
}

void FlowLogs::changed(const Change& change) {
  if (!change.value) {
    running_.erase(change.id);
  } else if (auto log = aws::from_json_text<model::FlowLog>(*change.value)) {
    if (const auto found = running_.find(change.id); found != running_.end()) {
      found->second->log = *std::move(log);
      return;
    }
    auto format = network::FlowFormat::parse(log->log_format.value_or(""));
    if (!format) return;
    const auto kind = kind_of(*log);
    const auto running = std::make_shared<Running>(Running{.account = change.account, .region = change.region, .log = *std::move(log), .format = *std::move(format),
                                                           .table = network::FlowTable(kind), .began = store::Shard::control().now()});
    running_[change.id] = running;
    wait(running);
  }
  is_recording_ = !running_.empty();
}

void FlowLogs::clear() {
  running_.clear();
  is_recording_ = false;
}

void FlowLogs::wait(const RunningPtr& running) {
  const Time due = running->began + std::chrono::seconds(running->log.max_aggregation_interval.value_or(600));
  store::Shard::control().reactor().at(due, [this, weak = std::weak_ptr(running)] {
    if (const auto self = weak.lock(); self && !stopping_) deliver(self).detach();
  });
}

Task<void> FlowLogs::deliver(RunningPtr running) {
  co_await connections_.report_all();
  // What the loops reported is on its way to here: before what is posted now.
  Later<bool> arrived;
  store::Shard::control().reactor().post([&arrived] { arrived.set(true); });
  co_await arrived;
  const Time now = store::Shard::control().now();
  auto lines = running->table.take(running->format, networks_.view()->within(*running->log.resource_id), running->began, now);
  running->began = now;
  wait(running);
  if (lines.empty()) co_return;
  if (running->log.log_destination_type == "s3") co_return co_await put_object(running, std::move(lines), now);
  const std::string group = fmt::format("{}/{}/{}", running->account, running->region, running->log.log_group_name.value_or(""));
  const std::string suffix = to_lower(running->log.traffic_type.value_or("ALL"));
  for (auto& line : lines) logs_.append_anyway(group, line.interface + "-" + suffix, std::move(line.text), now);
}

// https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-s3-path.html
Task<void> FlowLogs::put_object(RunningPtr running, std::vector<network::FlowTable::Line> lines, Time now) {
  std::string text = running->format.header() + "\n";
  for (const auto& line : lines) text += line.text + "\n";
  const std::string iso = format_iso8601(now), destination = running->log.log_destination.value_or("");
  const std::string place = destination.substr(destination.find(":::") + 3);
  const auto slash = place.find('/');
  std::string folder = slash == std::string::npos ? "" : place.substr(slash + 1);
  if (!folder.empty() && !folder.ends_with('/')) folder += '/';
  const bool hourly = running->log.destination_options && running->log.destination_options->per_hour_partition.value_or(false);
  const bool hive = running->log.destination_options && running->log.destination_options->hive_compatible_partitions.value_or(false);
  const auto part = [&](std::string_view name, std::string value) { return hive ? fmt::format("{}={}", name, value) : value; };
  std::string key = fmt::format("{}AWSLogs/{}/{}/{}/{}/{}/{}/", folder, part("aws-account-id", running->account), part("aws-service", "vpcflowlogs"), part("aws-region", running->region),
                                part("year", iso.substr(0, 4)), part("month", iso.substr(5, 2)), part("day", iso.substr(8, 2)));
  if (hourly) key += part("hour", iso.substr(11, 2)) + "/";
  key += fmt::format("{}_vpcflowlogs_{}_{}_{}_{}.log.gz", running->account, running->region, *running->log.flow_log_id, compact(iso), make_token(thread_random(), 8, "0123456789abcdef"));
  const Call call = caller_.internal_call(running->account, running->region);
  const auto put_it = co_await caller_.invoke_json(call, "s3", "PutObject", Json::object({{"Bucket", place.substr(0, slash)}, {"Key", key}, {"Body", base64_encode(gzip(text))}}));
  if (put_it) co_return;
  log::warn("a flow log could not be delivered", {{"flow_log", *running->log.flow_log_id}, {"reason", put_it.error().message}});
}

}  // namespace reef::service::ec2
