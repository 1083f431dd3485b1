// Service Connect: a service's ports under names that the tasks of its namespace's services call, through the mesh.
// https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-connect-concepts-deploy.html
#pragma once

#include <string>

#include "service/ecs/ecs.h"

namespace reef::service::ecs {

// Finds the namespace and checks the rest; gives the configuration with the namespace's ARN in it. A configuration that is not
// enabled passes as it is.
Task<Reply<model::ServiceConnectConfiguration>> check_connect(Ecs& ecs, const Call& call, model::ServiceConnectConfiguration wanted, const StoredCluster& cluster,
                                                              const model::TaskDefinition& definition);
// Makes the discovery names in Cloud Map that are not there yet, and keeps them and the namespace's name in `service`.
Task<Reply<void>> make_discovery(Ecs& ecs, const Call& call, const model::ServiceConnectConfiguration& configuration, StoredService& service);
// Takes them out again, once nobody is registered there.
Task<void> remove_discovery(Ecs& ecs, ServicePtr service);
// The namespace of a cluster's defaults, which is made when there is none of that name.
Task<Reply<std::string>> default_namespace(Ecs& ecs, const Call& call, std::string wanted);

// The names and routes that a service's present configuration asks for; and none for one that is gone.
void connect_service(Ecs& ecs, StoredService& service);
// Whether requests can say that they are tests, while a deployment shifts traffic.
bool has_test_traffic(const StoredService& service);
void disconnect_service(Ecs& ecs, StoredService& service);
// Which tasks answer now.
void connect_endpoints(Ecs& ecs, const StoredService& service);
// What a proxy of the task, named so, would write to its standard output goes where its log configuration says; empty without one.
edge::mesh::AccessSink proxy_log(Ecs& ecs, const StoredTask& task, const std::string& proxy, const std::optional<model::LogConfiguration>& configuration);
// Makes a task one of the mesh's callers.
void connect_member(Ecs& ecs, const StoredTask& task, const StoredService& service);

}  // namespace reef::service::ecs
