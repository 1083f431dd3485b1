// The handlers of HTTP APIs.
#pragma once

#include <algorithm>

#include "service/apigatewayv2/api_store.h"

namespace reef::service::apigatewayv2::operations {

#define HTTP_API_OPERATIONS(V)                                                                                        \
  V(CreateApi) V(GetApi) V(GetApis) V(UpdateApi) V(DeleteApi) V(ImportApi) V(ReimportApi) V(DeleteCorsConfiguration)  \
  V(CreateRoute) V(GetRoute) V(GetRoutes) V(UpdateRoute) V(DeleteRoute)                                               \
  V(CreateIntegration) V(GetIntegration) V(GetIntegrations) V(UpdateIntegration) V(DeleteIntegration)                 \
  V(CreateStage) V(GetStage) V(GetStages) V(UpdateStage) V(DeleteStage)                                               \
  V(CreateDeployment) V(GetDeployment) V(GetDeployments) V(UpdateDeployment) V(DeleteDeployment)                      \
  V(TagResource) V(UntagResource) V(GetTags) V(CreateAuthorizer) V(GetAuthorizer) V(GetAuthorizers) V(UpdateAuthorizer)                  \
  V(DeleteAuthorizer)
#define HTTP_API_OPERATION(Name) Task<Reply<model::Name##Output>> Name(ApiGateway& gateway, const model::Name##Input& in, const Call& call);
HTTP_API_OPERATIONS(HTTP_API_OPERATION)
#undef HTTP_API_OPERATION

inline auto committed() { return store::Shard::control().committed(); }

// An output struct with the members that it shares with `value`, by name: replies repeat a whole entity.
template <class Out, class T>
Out output_of(const T& value) {
  auto out = aws::from_json<Out>(aws::to_json(value));
  return out ? *std::move(out) : Out{};
}

// Copies the members that `update` has onto `value`.
template <class T, class In>
void merge_into(T& value, const In& update, std::initializer_list<std::string_view> without = {}) {
  wire::Json merged = aws::to_json(value);
  const wire::Json changes = aws::to_json(update);
  for (const auto& [name, member] : changes.as_object())
    if (std::find(without.begin(), without.end(), name) == without.end()) merged.set(name, member);
  if (auto out = aws::from_json<T>(merged)) value = *std::move(out);
}

}  // namespace reef::service::apigatewayv2::operations
