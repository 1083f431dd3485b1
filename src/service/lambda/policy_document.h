// Resource policies of functions and layers as JSON documents.
#pragma once

#include <string>

#include "service/lambda/repository.h"

namespace reef::service::lambda {

// "*", a service, an account or an ARN, as it stands in a policy.
wire::Json policy_principal(const std::string& principal);
Reply<void> add_statement(StoredPolicy& policy, const wire::Json& statement, const std::string& id);
bool remove_statement(StoredPolicy& policy, const std::string& id);
std::string policy_text(const StoredPolicy& policy);

}  // namespace reef::service::lambda
