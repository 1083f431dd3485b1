// What a template's values say beforehand that Lambda would refuse here: templates fail by it before anything is created.
#pragma once

#include <string>

#include "wire/json.h"

namespace reef::service::lambda::resources {

// The aws::ResourceType::check of the type in the name.
std::string check_function_values(const wire::Json& properties);
std::string check_mapping_values(const wire::Json& properties);
std::string check_event_config_values(const wire::Json& properties);

}  // namespace reef::service::lambda::resources
