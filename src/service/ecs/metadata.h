// What tasks ask of 169.254.170.2: who they are, and their role's credentials.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-metadata-endpoint-v4.html
#pragma once

#include "base/task.h"
#include "engine/sandbox/outbound.h"
#include "http/message.h"
#include "service/ecs/ecs.h"

namespace reef::service::ecs {

inline constexpr sandbox::Destination kTaskMetadata{0xA9FEAA02, 80};  // 169.254.170.2
// Where the same is served for tasks that share the host's network, on the API's own port.
inline constexpr const char* kMetadataPath = "/_aws/ecs";

// On any loop.
bool wants_metadata(const http::Request& request);
Task<http::Response> serve_metadata(Ecs& ecs, http::Request& request);
// stats.cc: what a container, or each of a task's, uses; null for one that does not run.
wire::Json stats_json(Ecs& ecs, const StoredTask& task, std::size_t index);
wire::Json task_stats_json(Ecs& ecs, const StoredTask& task);

}  // namespace reef::service::ecs
