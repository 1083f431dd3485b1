// A task's network interface: in one of its subnets, with its security groups.
#include <fmt/format.h>

#include "service/ecs/ecs.h"

namespace reef::service::ecs {
namespace {

std::string* detail_of(model::Task& task, std::string_view name) {
  if (task.attachments)
    for (model::Attachment& attachment : *task.attachments)
      if (attachment.details)
        for (model::KeyValuePair& pair : *attachment.details)
          if (pair.name == name && pair.value) return &*pair.value;
  return nullptr;
}

}  // namespace

Reply<void> attach_interface(Ecs& ecs, const TaskPtr& task, std::vector<std::string> groups) {
  const std::string* subnet = detail_of(task->task, "subnetId");
  if (!subnet || !ecs.tasks.isolated() || !ecs.networks.maker) return {};
  const std::string& attachment = *task->task.attachments->front().id;
  std::vector<std::string> names = {task->id};
  if (!task->service.empty()) names.insert(names.begin(), task->service);
  const auto made = ecs.networks.maker->make({.account = task->account, .region = task->region, .subnet = *subnet, .groups = std::move(groups),
                                              .description = fmt::format("arn:aws:ecs:{}:{}:attachment/{}", task->region, task->account, attachment),
                                              .requester = "amazon-ecs", .owner = *task->task.task_arn, .names = std::move(names)});
  if (!made) {
    if (made.error().message.starts_with("InvalidSubnetID.NotFound")) return {};
    return Err(aws::Error("ResourceInitializationError", "failed to create a network interface: " + made.error().message, 400));
  }
  ecs.tasks.give_back(task->address);
  task->address = network::address_text(made->address);
  task->interface = made->id;
  ecs.networks.publish();
  if (std::string* shown = detail_of(task->task, "networkInterfaceId")) *shown = made->id;
  if (std::string* shown = detail_of(task->task, "privateIPv4Address")) *shown = task->address;
  if (const auto zone = made->zone; !zone.empty()) task->task.availability_zone = zone;
  for (model::Container& container : *task->task.containers)
    if (container.network_interfaces)
      for (model::NetworkInterface& one : *container.network_interfaces) one.private_ipv4_address = task->address;
  save(*task);
  return {};
}

void release_interface(Ecs& ecs, StoredTask& task) {
  if (!task.interface.empty() && ecs.networks.maker) ecs.networks.maker->release(task.account, task.region, std::exchange(task.interface, {}));
}

}  // namespace reef::service::ecs
