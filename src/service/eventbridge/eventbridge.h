// EventBridge: what its operations may touch, and the operations. On the control shard.
#pragma once

#include "aws/service.h"
#include "base/text.h"
#include "engine/events/publisher.h"
#include "service/eventbridge/archives.h"
#include "service/eventbridge/book.h"
#include "service/eventbridge/connections.h"
#include "service/eventbridge/router.h"
#include "service/eventbridge/schedules.h"

namespace reef::service::eventbridge {

struct EventBridge {
  explicit EventBridge(Parts& parts);
  void start();
  void stop() { schedules.stop(); }
  void reset();

  Book book;
  Archives archives;
  Connections connections;
  Router router;
  Schedules schedules;

 private:
  Task<void> take(events::Event event);
  // What other services told while they started, before the rules were there.
  std::vector<events::Event> early_;
  bool is_started_ = false;
};

// Whether a bus's policy lets another account put events.
bool allows(const Bus& bus, std::string_view account);

// What is there, for members of replies.
inline std::optional<std::string> given(const std::string& text) { return text.empty() ? std::nullopt : std::optional(text); }
inline std::optional<Time> given(Time time) { return time == Time{} ? std::nullopt : std::optional(time); }
// Of the caller's archives and replays.
inline std::string key_of(const Call& call, const std::string& name) { return call.account + "/" + call.region + "/" + name; }

// Cuts `all`, whose tokens are positions in it, to a page.
template <class T>
std::vector<T> page_of(std::vector<T> all, const std::optional<std::string>& token, std::optional<std::int32_t> limit, std::optional<std::string>& next) {
  const auto from = std::min(token ? parse_int<std::size_t>(*token).value_or(0) : 0, all.size());
  const auto count = std::min<std::size_t>(static_cast<std::size_t>(limit.value_or(100)), all.size() - from);
  if (from + count < all.size()) next = std::to_string(from + count);
  return {std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(from)), std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(from + count))};
}

namespace operations {
#define EVENTBRIDGE_OPERATIONS(V)                                                                                                   \
  V(PutEvents) V(TestEventPattern) V(PutRule) V(DescribeRule) V(ListRules) V(DeleteRule) V(EnableRule) V(DisableRule)               \
  V(PutTargets) V(RemoveTargets) V(ListTargetsByRule) V(ListRuleNamesByTarget) V(CreateEventBus) V(DescribeEventBus)                \
  V(ListEventBuses) V(DeleteEventBus) V(UpdateEventBus) V(PutPermission) V(RemovePermission) V(TagResource) V(UntagResource)        \
  V(ListTagsForResource) V(CreateArchive) V(DescribeArchive) V(ListArchives) V(DeleteArchive) V(UpdateArchive) V(StartReplay)       \
  V(DescribeReplay) V(ListReplays) V(CancelReplay) V(CreateConnection) V(UpdateConnection) V(DescribeConnection)                    \
  V(ListConnections) V(DeleteConnection) V(DeauthorizeConnection) V(CreateApiDestination) V(UpdateApiDestination)                   \
  V(DescribeApiDestination) V(ListApiDestinations) V(DeleteApiDestination)
#define EVENTBRIDGE_OPERATION(Name) Task<Reply<model::Name##Output>> Name(EventBridge& service, const model::Name##Input& in, const Call& call);
EVENTBRIDGE_OPERATIONS(EVENTBRIDGE_OPERATION)
#undef EVENTBRIDGE_OPERATION
}  // namespace operations

}  // namespace reef::service::eventbridge
