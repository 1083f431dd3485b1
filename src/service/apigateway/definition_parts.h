// What a Swagger 2 or OpenAPI 3 document says of an API besides its paths and integrations.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions.html
#pragma once

#include "service/apigateway/api_store.h"

namespace reef::service::apigateway {

// Gateway responses, models, request validators, the resource policy, where keys come from, whether the endpoint is served.
aws::Reply<void> read_parts(const wire::Json& document, StoredApi& api, RestApis& apis);
// Security schemes with x-amazon-apigateway-authorizer: one authorizer each, by name.
aws::Reply<void> read_authorizers(const wire::Json& schemes, StoredApi& api, RestApis& apis);
// Who may use a method.
aws::Reply<void> read_security(const wire::Json& operation, const wire::Json& schemes, const StoredApi& api, model::Method& method);
// The parameters, the body's model and the validator of a method. A schema that is written there becomes a model.
aws::Reply<void> read_request(const wire::Json& document, const wire::Json& operation, const wire::Json& path_item, StoredApi& api, RestApis& apis, model::Method& method);
// Forgets what a document that overwrites an API brings anew.
void clear_parts(StoredApi& api);

}  // namespace reef::service::apigateway
