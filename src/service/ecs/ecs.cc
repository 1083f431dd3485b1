#include "service/ecs/ecs.h"

#include <fmt/format.h>

#include "base/random.h"
#include "base/text.h"
#include "engine/store/records.h"
#include "service/ecs/service_connect.h"
#include "service/ecs/state_events.h"
#include "service/ecs/usage_gauges.h"

namespace reef::service::ecs {
namespace {

using wire::Json;
store::Records& records() { return store::Shard::control().records(); }

std::string cluster_key(const StoredCluster& one) { return fmt::format("ecs/cluster/{}/{}/{}", one.account, one.region, *one.cluster.cluster_name); }
std::string definition_key(const std::string& account, const std::string& region, const model::TaskDefinition& one) {
  return fmt::format("ecs/definition/{}/{}/{}/{}", account, region, *one.family, *one.revision);
}
std::string task_key(const StoredTask& one) { return fmt::format("ecs/task/{}/{}/{}", one.account, one.region, one.id); }
std::string service_key(const StoredService& one) { return fmt::format("ecs/service/{}/{}/{}/{}", one.account, one.region, one.cluster, one.name); }

Json tags_json(const std::vector<model::Tag>& tags) {
  Json out = Json::array();
  for (const model::Tag& tag : tags) out.push_back(aws::to_json(tag));
  return out;
}
std::vector<model::Tag> read_tags(const Json& json) {
  std::vector<model::Tag> out;
  for (const Json& one : json.as_array())
    if (auto tag = aws::from_json<model::Tag>(one)) out.push_back(*std::move(tag));
  return out;
}

const char* state_name(task::RolloutState state) {
  switch (state) {
    case task::RolloutState::kInProgress: return "IN_PROGRESS";
    case task::RolloutState::kCompleted: return "COMPLETED";
    case task::RolloutState::kFailed: return "FAILED";
  }
  return "";
}

Json machine_json(const task::ServiceMachine& machine) {
  Json out = Json::object({{"desired", machine.desired()}, {"lastGood", machine.last_good()}});
  Json& list = out.set("deployments", Json::array());
  for (const task::Deployment& one : machine.deployments())
    list.push_back(Json::object({{"id", one.id}, {"version", one.version}, {"created", to_micros(one.created)}, {"updated", to_micros(one.updated)},
                                 {"state", state_name(one.state)}, {"reason", one.reason}, {"failed", one.failed_tasks}, {"isRollback", one.is_rollback},
                                 {"share", one.share}, {"retired", one.is_retired}}));
  return out;
}

void restore_machine(task::ServiceMachine& machine, const Json& json) {
  std::vector<task::Deployment> deployments;
  for (const Json& one : json["deployments"].as_array()) {
    const std::string& state = one.text("state");
    deployments.push_back({.id = one.text("id"), .version = one.text("version"), .created = from_micros(one["created"].as_int().value_or(0)),
                           .updated = from_micros(one["updated"].as_int().value_or(0)),
                           .state = state == "COMPLETED" ? task::RolloutState::kCompleted : state == "FAILED" ? task::RolloutState::kFailed : task::RolloutState::kInProgress,
                           .reason = one.text("reason"), .failed_tasks = static_cast<int>(one["failed"].as_int().value_or(0)), .is_rollback = one["isRollback"].as_bool(),
                           .share = one["share"].as_double().value_or(0), .is_retired = one["retired"].as_bool()});
  }
  machine.restore(std::move(deployments), static_cast<int>(json["desired"].as_int().value_or(0)), json.text("lastGood"));
}

void load_deployments(StoredService& stored, const Json& json) {
  stored.shift.restore(read_shift(json["shift"]));
  for (const auto& [id, link] : json["links"].as_object()) stored.links[id] = {link.text("record"), link.text("revision"), link["alternate"].as_bool()};
  for (const Json& one : json["history"].as_array())
    if (auto record = aws::from_json<model::ServiceDeployment>(one)) stored.history.push_back(*std::move(record));
  for (const Json& one : json["taskSets"].as_array())
    if (auto set = aws::from_json<model::TaskSet>(one["set"])) stored.task_sets.emplace(*set->id, StoredTaskSet{*set, one.text("token")});
  for (const Json& one : json["revisions"].as_array())
    if (auto revision = aws::from_json<model::ServiceRevision>(one)) stored.revisions.emplace(*revision->service_revision_arn, *std::move(revision));
}

}  // namespace

void save(const StoredCluster& one) {
  records().put(cluster_key(one), Json::object({{"account", one.account}, {"region", one.region}, {"cluster", aws::to_json(one.cluster)}}).dump());
}
void save(const std::string& account, const std::string& region, const StoredDefinition& one) {
  records().put(definition_key(account, region, one.definition),
                Json::object({{"account", account}, {"region", region}, {"definition", aws::to_json(one.definition)}, {"tags", tags_json(one.tags)}}).dump());
}
void save(const StoredTask& one) {
  records().put(task_key(one), Json::object({{"id", one.id}, {"account", one.account}, {"region", one.region}, {"cluster", one.cluster}, {"service", one.service},
                                             {"deployment", one.deployment}, {"address", one.address}, {"interface", one.interface}, {"registered", one.is_registered},
                                             {"clientToken", one.client_token}, {"request", one.request}, {"task", aws::to_json(one.task)}}).dump());
}
void save(const StoredService& one) {
  Json links = Json::object(), history = Json::array(), revisions = Json::array();
  for (const auto& [id, link] : one.links) links.set(id, Json::object({{"record", link.record}, {"revision", link.revision}, {"alternate", link.uses_alternate}}));
  for (const model::ServiceDeployment& record : one.history) history.push_back(aws::to_json(record));
  for (const auto& [arn, revision] : one.revisions) revisions.push_back(aws::to_json(revision));
  Json events = Json::array();
  for (const model::ServiceEvent& event : one.events) events.push_back(aws::to_json(event));
  Json sets = Json::array();
  for (const auto& [id, stored] : one.task_sets) sets.push_back(Json::object({{"set", aws::to_json(stored.set)}, {"token", stored.client_token}}));
  records().put(service_key(one), Json::object({{"account", one.account}, {"region", one.region}, {"cluster", one.cluster}, {"name", one.name},
                                                {"service", aws::to_json(one.service)}, {"machine", machine_json(one.machine)},
                                                {"deployments", aws::map_to_json(one.deployments)}, {"events", std::move(events)}, {"token", one.client_token}, {"connectNamespace", one.connect_namespace},
                                                {"active", one.is_active}, {"shift", shift_json(one.shift.state())}, {"links", std::move(links)},
                                                {"history", std::move(history)}, {"revisions", std::move(revisions)}, {"taskSets", std::move(sets)}}).dump());
}
void erase_record(const StoredCluster& one) { records().erase(cluster_key(one)); }
void erase_record(const std::string& account, const std::string& region, const model::TaskDefinition& one) { records().erase(definition_key(account, region, one)); }
void erase_record(const StoredTask& one) { records().erase(task_key(one)); }
void erase_record(const StoredService& one) { records().erase(service_key(one)); }

void load_all(Ecs& ecs) {
  records().scan("ecs/", [&](std::string_view key, const std::string& text) {
    const auto json = Json::parse(text);
    if (!json) return true;
    const std::string account = json->text("account"), region = json->text("region"), where = account + "/" + region + "/";
    if (key.starts_with("ecs/cluster/")) {
      if (auto cluster = aws::from_json<model::Cluster>((*json)["cluster"])) {
        const std::string name = *cluster->cluster_name;
        ecs.clusters.emplace(where + name, StoredCluster{*std::move(cluster), account, region});
      }
    } else if (key.starts_with("ecs/definition/")) {
      if (auto definition = aws::from_json<model::TaskDefinition>((*json)["definition"])) {
        const std::string family = *definition->family;
        const int revision = *definition->revision;
        ecs.families[where + family].emplace(revision, StoredDefinition{*std::move(definition), read_tags((*json)["tags"])});
      }
    } else if (key.starts_with("ecs/task/")) {
      if (auto task = aws::from_json<model::Task>((*json)["task"]))
        ecs.all_tasks.emplace(json->text("id"), std::make_shared<StoredTask>(StoredTask{.task = *std::move(task), .id = json->text("id"), .account = account, .region = region,
                                                                                       .cluster = json->text("cluster"), .service = json->text("service"),
                                                                                       .deployment = json->text("deployment"), .credentials_id = {},
                                                                                       .address = json->text("address"), .interface = json->text("interface"), .client_token = json->text("clientToken"),
                                                                                       .request = json->text("request"), .is_registered = (*json)["registered"].as_bool()}));
    } else if (key.starts_with("ecs/service/")) {
      if (auto service = aws::from_json<model::Service>((*json)["service"])) {
        auto stored = std::make_shared<StoredService>();
        stored->service = *std::move(service);
        stored->account = account;
        stored->region = region;
        stored->cluster = json->text("cluster");
        stored->name = json->text("name");
        stored->deployments = aws::map_from_json<model::Deployment>((*json)["deployments"]);
        for (const Json& event : (*json)["events"].as_array())
          if (auto one = aws::from_json<model::ServiceEvent>(event)) stored->events.push_back(*std::move(one));
        stored->client_token = json->text("token");
        stored->connect_namespace = json->text("connectNamespace");
        stored->is_active = (*json)["active"].as_bool();
        restore_machine(stored->machine, (*json)["machine"]);
        load_deployments(*stored, *json);
        apply_rule(ecs, *stored);
        ecs.services.emplace(where + stored->cluster + "/" + stored->name, stored);
      }
    }
    return true;
  });
}

std::string_view last_part(std::string_view arn) {
  const auto slash = arn.rfind('/');
  return slash == std::string_view::npos ? arn : arn.substr(slash + 1);
}
std::string scope(const Call& call, std::string_view rest) { return fmt::format("{}/{}/{}", call.account, call.region, rest); }
std::string new_id() { return make_token(thread_random(), 32, "0123456789abcdef"); }

Reply<StoredCluster*> find_cluster(Ecs& ecs, const Call& call, const std::optional<std::string>& wanted) {
  const auto found = ecs.clusters.find(scope(call, wanted && !wanted->empty() ? last_part(*wanted) : "default"));
  if (found == ecs.clusters.end()) return Err(aws::Error(errors::kClusterNotFoundException, "Cluster not found."));
  return &found->second;
}

StoredDefinition* find_definition(Ecs& ecs, const std::string& account, const std::string& region, std::string_view wanted) {
  const std::string_view name = last_part(wanted);
  const auto colon = name.find(':');
  const auto family = ecs.families.find(fmt::format("{}/{}/{}", account, region, name.substr(0, colon)));
  if (family == ecs.families.end()) return nullptr;
  if (colon != std::string_view::npos) {
    const auto revision = parse_int<int>(name.substr(colon + 1));
    const auto found = revision ? family->second.find(*revision) : family->second.end();
    return found == family->second.end() ? nullptr : &found->second;
  }
  for (auto one = family->second.rbegin(); one != family->second.rend(); ++one)
    if (one->second.definition.status == "ACTIVE") return &one->second;
  return nullptr;
}

TaskPtr find_task(Ecs& ecs, const Call& call, const StoredCluster& cluster, std::string_view wanted) {
  const auto found = ecs.all_tasks.find(last_part(wanted));
  if (found == ecs.all_tasks.end()) return nullptr;
  const StoredTask& task = *found->second;
  return task.account == call.account && task.region == call.region && task.cluster == *cluster.cluster.cluster_name ? found->second : nullptr;
}

ServicePtr find_service(Ecs& ecs, const Call& call, const StoredCluster& cluster, std::string_view wanted) {
  const auto found = ecs.services.find(scope(call, fmt::format("{}/{}", *cluster.cluster.cluster_name, last_part(wanted))));
  return found == ecs.services.end() ? nullptr : found->second;
}

Ecs::Ecs(Parts& parts)
    : caller(parts.get<aws::Caller>()), tasks(parts.get<task::Tasks>()), logs(parts.get<telemetry::Logs>()), counters(parts.get<metrics::Counters>()), balancers(parts.get<edge::Balancers>()), sessions(parts.get<session::Sessions>()),
      mesh(parts.get<edge::mesh::Mesh>()), networks(parts.get<network::Networks>()), publisher(parts.get<events::Publisher>()),
      gauges(std::make_unique<UsageGauges>(*this)) {
  parts.add(*this);
}
Ecs::~Ecs() = default;

// Tasks ended with the former daemon; services bring theirs back at once.
void Ecs::start() {
  load_all(*this);
  for (const auto& [key, service] : services) service->told = states_of(*service);
  balancers.on_health_change([this](const std::string& group) {
    if (!is_stopping) look_at_group(*this, group);
  });
  const Time now = store::Shard::control().now();
  std::vector<std::pair<ServicePtr, TaskPtr>> lost;  // registered somewhere
  for (const auto& [id, task] : all_tasks) {
    forget_later(*this, task);
    // The address of a task that just ended is still known to others: new ones come after it.
    tasks.note_used(task->address);
    if (task->task.last_status == "STOPPED") continue;
    task->task.last_status = task->task.desired_status = "STOPPED";
    task->task.stop_code = "TerminationNotice";
    task->task.stopped_reason = "Atoll was restarted";
    task->task.stopped_at = task->task.execution_stopped_at = now;
    for (model::Container& container : *task->task.containers) container.last_status = "STOPPED";
    release_interface(*this, *task);
    save(*task);
    tell_task(*this, *task);
    const auto service = services.find(fmt::format("{}/{}/{}/{}", task->account, task->region, task->cluster, task->service));
    if (task->is_registered && service != services.end()) lost.emplace_back(service->second, task);
  }
  std::erase_if(services, [](const auto& one) {
    if (!one.second->is_active) erase_record(*one.second);
    return !one.second->is_active;
  });
  gauges->start();
  // Once the services that this one calls have started, too.
  store::Shard::control().reactor().post([this, lost] {
    for (const auto& [key, service] : services) {
      connect_service(*this, *service);
      drive(*this, service);
      watch_alarms(*this, service);
    }
    for (const auto& [service, task] : lost) deregister_targets(*this, service, task).detach();
  });
}

void Ecs::stop() {
  is_stopping = true;
  sessions.stop();
}

void Ecs::reset() {
  for (const auto& [key, service] : services) {
    store::Shard::control().reactor().cancel(service->timer);
    store::Shard::control().reactor().cancel(std::exchange(service->alarm_timer, 0));
    service->is_active = false;
    service->machine = {};
  }
  tasks.kill_all();
  clusters.clear();
  families.clear();
  all_tasks.clear();
  services.clear();
}

}  // namespace reef::service::ecs
