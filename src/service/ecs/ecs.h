// ECS: clusters, task definitions, tasks and services. Everything is a record on the control shard; what runs belongs to
// engine/task, and what a service does next is decided by its ServiceMachine.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "aws/caller.h"
#include "aws/models/ecs.h"
#include "aws/protocol/codec.h"
#include "aws/service.h"
#include "aws/unmodelled_errors.h"
#include "engine/edge/balancer/balancers.h"
#include "engine/edge/mesh/mesh.h"
#include "engine/events/publisher.h"
#include "engine/metrics/counters.h"
#include "engine/network/networks.h"
#include "engine/session/sessions.h"
#include "engine/store/shard.h"
#include "engine/task/service_machine.h"
#include "engine/task/shift_machine.h"
#include "engine/task/tasks.h"
#include "engine/telemetry/logs.h"

namespace reef::service::ecs {

namespace model = aws::ecs;
namespace errors = aws::ecs::errors;
template <class T>
using Reply = aws::Reply<T>;
using aws::Call;

struct StoredCluster {
  model::Cluster cluster;  // counts are filled in when described
  std::string account, region;
};

struct StoredDefinition {
  model::TaskDefinition definition;
  std::vector<model::Tag> tags;
};

struct StoredTask {
  model::Task task;
  std::string id, account, region, cluster;
  std::string service, deployment;   // when a service runs it
  std::string credentials_id;        // names the task role's credentials
  std::string address;
  std::string interface;             // id, when it has one
  std::string client_token, request;  // of RunTask and StartTask: the same token with another request is a conflict
  bool is_running_here = false;      // the engine knows it
  bool is_draining = false;          // its targets let go before it is stopped
  bool is_registered = false;        // with target groups and registries
  bool has_run = false;              // its service was told
  std::string told;                  // the states that the event bus heard of last; not stored
  std::optional<bool> target_healthy, container_healthy;
};
using TaskPtr = std::shared_ptr<StoredTask>;

// What belongs to one deployment of the machine.
struct DeploymentLink {
  std::string record, revision;   // ARNs of its service deployment and its service revision
  bool uses_alternate = false;    // its tasks are targets of the alternate target groups
};

// With an external deployment controller each is a deployment of the machine, with its scale as its share.
struct StoredTaskSet {
  model::TaskSet set;  // counts are filled in when described
  std::string client_token;
};

struct StoredService {
  model::Service service;  // what was configured; counts, deployments and events are filled in when described
  std::string account, region, cluster, name;
  task::ServiceMachine machine;
  std::map<std::string, model::Deployment, std::less<>> deployments;  // what each was configured with, by id
  std::vector<model::ServiceEvent> events;                            // newest first
  task::ShiftMachine shift;                                           // with a strategy that shifts traffic
  std::map<std::string, DeploymentLink, std::less<>> links;           // by deployment
  std::vector<model::ServiceDeployment> history;                      // newest first
  std::map<std::string, model::ServiceRevision, std::less<>> revisions;  // by ARN
  std::map<std::string, StoredTaskSet, std::less<>> task_sets;        // by id
  std::vector<std::string> ringing;                                   // alarms of the deployment under way
  io::Reactor::TimerId alarm_timer = 0;
  std::optional<Duration> alarm_bake;                                 // by its alarms, once they were looked at
  io::Reactor::TimerId timer = 0;
  std::map<std::string, task::RolloutState> told;                     // of deployments, as the event bus heard them last; not stored
  bool driving = false, is_active = true;
  bool needs_container_health = false;
  std::string client_token;
  std::string connect_namespace;                      // the name of its Service Connect namespace
  std::vector<std::string> mesh_nodes, mesh_services; // what it has in the mesh
  std::vector<model::ServiceConnectServiceResource> connect_resources;   // its discovery names in Cloud Map
  std::vector<model::ServiceRegistry> connect_registries;                // the same for its tasks to register in
};
using ServicePtr = std::shared_ptr<StoredService>;

// What a container had used when somebody asked last.
struct StatsSample {
  Time at{};
  std::int64_t processor_nanos = 0, machine_nanos = 0;
};

class UsageGauges;  // usage_gauges.h

struct Ecs {
  explicit Ecs(Parts& parts);
  ~Ecs();
  void start();
  void stop();
  void reset();

  aws::Caller& caller;
  task::Tasks& tasks;
  telemetry::Logs& logs;
  metrics::Counters& counters;
  edge::Balancers& balancers;
  session::Sessions& sessions;  // of ExecuteCommand
  edge::mesh::Mesh& mesh;
  network::Networks& networks;
  const events::Publisher& publisher;
  std::unique_ptr<UsageGauges> gauges;

  // By "account/region/name" and the like; see names.h.
  std::map<std::string, StoredCluster, std::less<>> clusters;
  std::map<std::string, std::map<int, StoredDefinition>, std::less<>> families;
  std::map<std::string, TaskPtr, std::less<>> all_tasks;        // by id
  std::map<std::string, ServicePtr, std::less<>> services;      // by "account/region/cluster/name"
  std::map<std::string, StatsSample, std::less<>> stats_samples;  // by runtime id
  bool is_stopping = false;
  std::size_t next_subnet = 0;  // tasks take turns
};

// --- records ---------------------------------------------------------------------------------------------------------
void save(const StoredCluster& cluster);
void save(const std::string& account, const std::string& region, const StoredDefinition& definition);
void save(const StoredTask& task);
void save(const StoredService& service);
void erase_record(const StoredCluster& cluster);
void erase_record(const std::string& account, const std::string& region, const model::TaskDefinition& definition);
void erase_record(const StoredTask& task);
void erase_record(const StoredService& service);
void load_all(Ecs& ecs);

// --- names -----------------------------------------------------------------------------------------------------------
// A cluster by name or ARN; "default" when none is given.
Reply<StoredCluster*> find_cluster(Ecs& ecs, const Call& call, const std::optional<std::string>& wanted);
// "family", "family:3" or an ARN; without a revision the latest active one. nullptr when there is none.
StoredDefinition* find_definition(Ecs& ecs, const std::string& account, const std::string& region, std::string_view wanted);
TaskPtr find_task(Ecs& ecs, const Call& call, const StoredCluster& cluster, std::string_view wanted);
ServicePtr find_service(Ecs& ecs, const Call& call, const StoredCluster& cluster, std::string_view wanted);
std::string_view last_part(std::string_view arn);  // what follows the last '/'
std::string scope(const Call& call, std::string_view rest);  // "account/region/rest"
std::string new_id();  // 32 hexadecimal digits

// --- doing -----------------------------------------------------------------------------------------------------------
// What of a definition cannot be run here, by name.
Reply<void> check_supported(const model::TaskDefinition& definition);

struct Launch {
  const StoredCluster* cluster;
  const StoredDefinition* definition;
  model::TaskOverride overrides;
  std::optional<model::NetworkConfiguration> network;
  std::string launch_type, group, started_by, platform_version;
  std::vector<model::Tag> tags;
  bool execute_command = false;
  std::string service, deployment;
  std::string client_token, request;
};
Reply<void> check_launch(const Launch& launch);
// Records a task and starts it; what can go wrong from here on is told by its state.
TaskPtr launch(Ecs& ecs, const std::string& account, const std::string& region, const Launch& what);
// Asks a task to stop; its targets are let go first when it has some.
void stop_task(Ecs& ecs, const TaskPtr& task, task::StopCode code, const std::string& reason);
// An interface in the subnet, with its groups. A subnet that nobody keeps gives none: such a task is outside of every VPC.
Reply<void> attach_interface(Ecs& ecs, const TaskPtr& task, std::vector<std::string> groups);
// Gives the task's network interface back.
void release_interface(Ecs& ecs, StoredTask& task);
// A task that stopped stays to be looked at for an hour.
void forget_later(Ecs& ecs, const TaskPtr& task);
// Fills the task's record from the engine.
void refresh(Ecs& ecs, const TaskPtr& task);
// The plan of a task; secrets and files were resolved into `environments`, one per container.
Reply<task::TaskPlan> make_plan(const StoredTask& task, const model::TaskDefinition& definition, std::vector<std::vector<std::pair<std::string, std::string>>> environments);

// Does what the service's machine says, until it says nothing more.
void drive(Ecs& ecs, const ServicePtr& service);
void add_event(StoredService& service, const std::string& text, Time now);
model::Service describe(const StoredService& service);
model::Deployment& new_deployment(Ecs& ecs, StoredService& service, const std::string& definition_arn, bool is_rollback, Time now,
                                  std::optional<model::ServiceConnectConfiguration> connect = std::nullopt);
void apply_rule(Ecs& ecs, StoredService& service);
// Tells a service that one of its tasks changed.
void note_task(Ecs& ecs, const TaskPtr& task);

// --- shifting traffic (shift.cc), and its history (history.cc) ----------------------------------------------------------
// Whether new versions come up beside the old ones and traffic moves.
bool shifts(const model::Service& service);
// A deployment was made, and `source` is what serves now.
void begin_shift(Ecs& ecs, StoredService& service, const std::string& source, const std::string& target, Time now);
std::string shift_source(const StoredService& service);
void apply_shift_rule(StoredService& service);
// Does what the shift machine says; whether anything changed.
bool drive_shift(Ecs& ecs, const ServicePtr& service, Time now);
wire::Json shift_json(const task::ShiftState& state);
task::ShiftState read_shift(const wire::Json& json);
// Looks at the alarms of a deployment under way now and then.
void watch_alarms(Ecs& ecs, const ServicePtr& service);

void open_record(Ecs& ecs, StoredService& service, const std::string& deployment, const std::string& source, bool is_rollback, Time now);
void sync_records(StoredService& service, Time now);
model::ServiceDeployment describe_record(const StoredService& service, const model::ServiceDeployment& record);
// Sets the service back to what a revision was made with.
void return_to_revision(StoredService& service, const std::string& deployment);

// --- targets ---------------------------------------------------------------------------------------------------------
// Where the port of a container is reached: the task's own address, or a port of this machine.
std::optional<std::pair<std::string, int>> reached_at(const StoredTask& task, const std::string& container, int port);
Task<void> register_targets(Ecs& ecs, ServicePtr service, TaskPtr task);
Task<void> deregister_targets(Ecs& ecs, ServicePtr service, TaskPtr task);
// Tells the service's machine how its targets are.
void look_at_targets(Ecs& ecs, const ServicePtr& service);
// With an external deployment controller (task_sets.cc).
bool is_external(const model::Service& service);
model::TaskSet describe(const StoredService& service, const StoredTaskSet& stored);
// Whether its tasks are as wanted, and sets that are gone.
void sync_task_sets(StoredService& service, Time now);

// What the tasks of a deployment are registered with: their task set's or the service's.
const std::vector<model::LoadBalancer>& balancers_of(const StoredService& service, std::string_view deployment);
std::vector<model::ServiceRegistry> registries_of(const StoredService& service, std::string_view deployment);
// The target groups that a load balancer of the service means for the tasks of a deployment.
std::optional<std::string> group_for(const StoredService& service, const model::LoadBalancer& balancer, std::string_view deployment);
// The same for all services with that target group.
void look_at_group(Ecs& ecs, const std::string& group);

}  // namespace reef::service::ecs
