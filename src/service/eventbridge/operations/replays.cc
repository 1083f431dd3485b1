// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_StartReplay.html, API_DescribeReplay, API_ListReplays, API_CancelReplay
#include "base/text.h"
#include "engine/store/shard.h"
#include "service/eventbridge/eventbridge.h"

namespace reef::service::eventbridge::operations {
namespace {

aws::Error no_replay(const std::string& name) { return {errors::kResourceNotFoundException, fmt::format("Replay {} does not exist.", name)}; }

}  // namespace

Task<Reply<model::StartReplayOutput>> StartReplay(EventBridge& service, const model::StartReplayInput& in, const Call& call) {
  if (service.archives.find_replay(key_of(call, in.replay_name)))
    co_return Err(aws::Error(errors::kResourceAlreadyExistsException, fmt::format("Replay {} already exists.", in.replay_name)));
  const std::string name = in.event_source_arn.substr(in.event_source_arn.rfind('/') + 1);
  const Archive* archive = service.archives.find(key_of(call, name));
  if (!archive || archive->arn() != in.event_source_arn) co_return Err(invalid("EventSourceArn", fmt::format("Archive {} does not exist.", name)));
  if (in.event_end_time <= in.event_start_time) co_return Err(invalid("EventEndTime", "EventStartTime must be before EventEndTime."));
  if (in.destination.arn != archive->source) co_return Err(invalid("Destination.Arn", "Cross event bus replay is not permitted."));
  Replay replay{.account = call.account, .region = call.region, .name = in.replay_name, .description = in.description.value_or(""), .source = in.event_source_arn,
                .destination = in.destination.arn, .state = "STARTING", .reason = "", .rules = in.destination.filter_arns.value_or(std::vector<std::string>{}),
                .from = in.event_start_time, .to = in.event_end_time, .started = call.now};
  service.archives.save(replay);
  model::StartReplayOutput out;
  out.replay_arn = replay.arn();
  out.state = "STARTING";
  out.replay_start_time = replay.started;
  co_await service.archives.begin(replay);
  co_return out;
}

Task<Reply<model::DescribeReplayOutput>> DescribeReplay(EventBridge& service, const model::DescribeReplayInput& in, const Call& call) {
  const auto replay = service.archives.find_replay(key_of(call, in.replay_name));
  if (!replay) co_return Err(no_replay(in.replay_name));
  model::DescribeReplayOutput out;
  out.replay_name = replay->name;
  out.replay_arn = replay->arn();
  out.description = given(replay->description);
  out.state = replay->state;
  out.state_reason = given(replay->reason);
  out.event_source_arn = replay->source;
  auto& destination = out.destination.emplace();
  destination.arn = replay->destination;
  if (!replay->rules.empty()) destination.filter_arns = replay->rules;
  out.event_start_time = replay->from;
  out.event_end_time = replay->to;
  out.event_last_replayed_time = given(replay->reached);
  out.replay_start_time = replay->started;
  out.replay_end_time = given(replay->ended);
  co_return out;
}

Task<Reply<model::ListReplaysOutput>> ListReplays(EventBridge& service, const model::ListReplaysInput& in, const Call& call) {
  std::vector<model::Replay> all;
  for (const Replay& replay : service.archives.list_replays(key_of(call, in.name_prefix.value_or("")))) {
    if ((in.state && *in.state != replay.state) || (in.event_source_arn && *in.event_source_arn != replay.source)) continue;
    model::Replay& one = all.emplace_back();
    one.replay_name = replay.name;
    one.event_source_arn = replay.source;
    one.state = replay.state;
    one.state_reason = given(replay.reason);
    one.event_start_time = replay.from;
    one.event_end_time = replay.to;
    one.event_last_replayed_time = given(replay.reached);
    one.replay_start_time = replay.started;
    one.replay_end_time = given(replay.ended);
  }
  model::ListReplaysOutput out;
  out.replays = page_of(std::move(all), in.next_token, in.limit, out.next_token);
  co_return out;
}

Task<Reply<model::CancelReplayOutput>> CancelReplay(EventBridge& service, const model::CancelReplayInput& in, const Call& call) {
  auto replay = service.archives.find_replay(key_of(call, in.replay_name));
  if (!replay) co_return Err(no_replay(in.replay_name));
  if (replay->state != "STARTING" && replay->state != "RUNNING")
    co_return Err(aws::Error(errors::kIllegalStatusException, fmt::format("Replay {} is not in a valid state for this operation.", in.replay_name)));
  replay->state = "CANCELLING";
  service.archives.save(*replay);
  co_await store::Shard::control().committed();
  model::CancelReplayOutput out;
  out.replay_arn = replay->arn();
  out.state = replay->state;
  co_return out;
}

}  // namespace reef::service::eventbridge::operations
