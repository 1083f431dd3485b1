// Editing an OpenAPI document that may have conditions in it: a path or a method can be {"Fn::If": [condition, one, other]}.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "service/cloudformation/sam/context.h"

namespace reef::cloudformation::sam {

inline constexpr std::string_view kAnyMethod = "x-amazon-apigateway-any-method";
inline constexpr std::string_view kIntegration = "x-amazon-apigateway-integration";

// What an item stands for: itself, or the branches of its condition that are something.
std::vector<Json*> contents_of(Json& item);
// "ANY" is x-amazon-apigateway-any-method, everything else in lower case.
std::string method_member(std::string_view method);
bool is_openapi3(const Json& body);
// Whether this is a Swagger 2 or OpenAPI 3 document with paths.
bool is_definition(const Json& body);
// The methods at a path that have an integration: their definitions.
struct MethodAt {
  std::string name;
  Json* definition;
};
std::vector<MethodAt> methods_of(Json& path_item);
// The definitions of one method at one path.
std::vector<Json*> definitions_of(Json& body, const std::string& path, std::string_view method);
// A member that is an object, made when it is missing.
Json& object_at(Json& parent, std::string_view name);
// What AWS writes where nothing else is true.
bool is_true(const Json& value);
bool is_empty(const Json& value);  // not there, or without members

// --- what a REST API adds to its definition; `id` is its logical id, for errors ----------------------------------------------

Reply<void> add_rest_auth(Context& context, const std::string& id, const Json& auth, const Json& stage_name, Json& body);
// The Auth of one event: `stage` names it in resource policies.
Reply<void> add_method_auth(const Json& event_auth, const Json& api_auth, const std::string& path, const std::string& method, const Json& stage, Json& body,
                            const std::function<aws::Error(std::string)>& wrong);
// RequestModel and RequestParameters of an event.
Reply<void> add_request_model(const Json& request_model, const Json& models, const std::string& path, const std::string& method, Json& body,
                              const std::function<aws::Error(std::string)>& wrong);
Reply<void> add_request_parameters(const Json& parameters, const std::string& path, const std::string& method, Json& body,
                                   const std::function<aws::Error(std::string)>& wrong);
Reply<void> add_gateway_responses(const std::string& id, const Json& responses, Json& body);
Reply<void> add_models(const std::string& id, const Json& models, Json& body);
// Moves what OpenAPI 3 says elsewhere than Swagger 2.
void finish_openapi3(const Json& version, Json& body);

// --- resources beside a REST API ------------------------------------------------------------------------------------------

void add_authorizer_permissions(Context& context, const std::string& id, const Json& declaration);
Reply<void> add_usage_plan(Context& context, const std::string& id, const Json& declaration, const std::string& stage_id);
Reply<void> add_rest_domain(Context& context, const std::string& id, const Json& declaration);

}  // namespace reef::cloudformation::sam
