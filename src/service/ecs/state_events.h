// What ECS tells the event bus: tasks that changed, what became of deployments, what services did.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_cwe_events.html
#pragma once

#include <map>
#include <string>

#include "service/ecs/ecs.h"

namespace reef::service::ecs {

// "ECS Task State Change", if its state or what is wanted of it is another than was told last.
void tell_task(Ecs& ecs, StoredTask& task);
// "ECS Service Action": a name like SERVICE_STEADY_STATE, its type INFO, WARN or ERROR, and a reason or "".
void tell_action(Ecs& ecs, const StoredService& service, std::string_view type, std::string_view name, std::string_view reason = "");

std::map<std::string, task::RolloutState> states_of(const StoredService& service);
// "ECS Deployment State Change" for each deployment whose state is another than was told last.
void tell_deployments(Ecs& ecs, StoredService& service);

}  // namespace reef::service::ecs
