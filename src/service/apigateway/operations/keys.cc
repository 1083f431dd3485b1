// https://docs.aws.amazon.com/apigateway/latest/api/API_CreateApiKey.html and its kin.
#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "service/apigateway/operations.h"

namespace reef::service::apigateway::operations {
namespace {

constexpr std::size_t kValueBytesMin = 20, kValueBytesMax = 128;

Reply<StoredKey*> key_of(RestApis& apis, const Call& call, const std::string& id) {
  StoredKey* key = apis.keys.find_key(call, id);
  if (!key) return Err(not_found("Invalid API Key identifier specified"));
  return key;
}

// The value is shown only to whom asks for it.
model::ApiKey shown(model::ApiKey key, bool with_value) {
  if (!with_value) key.value.reset();
  return key;
}

}  // namespace

Task<Reply<model::CreateApiKeyOutput>> CreateApiKey(RestApis& apis, const model::CreateApiKeyInput& in, const Call& call) {
  const std::string value = in.value.value_or("");
  if (!value.empty() && (value.size() < kValueBytesMin || value.size() > kValueBytesMax)) co_return Err(bad_request("API Key value should be at least 20 characters"));
  if (!value.empty() && apis.keys.find_value(call.account, call.region, value)) co_return Err(aws::Error(errors::kConflictException, "API Key already exists"));
  model::ApiKey key;
  key.id = apis.new_id();
  key.value = value.empty() ? apis.new_id(40) : value;
  key.name = in.name;
  key.description = in.description;
  key.customer_id = in.customer_id;
  key.enabled = in.enabled.value_or(false);
  key.created_date = key.last_updated_date = from_seconds(to_seconds(call.now));
  key.tags = in.tags;
  auto& stages = key.stage_keys.emplace();
  for (const model::StageKey& stage : in.stage_keys.value_or(std::vector<model::StageKey>{})) {
    const StoredApi* api = apis.find(call, stage.rest_api_id.value_or(""));
    if (!api || !api->stages.contains(stage.stage_name.value_or(""))) co_return Err(bad_request("Invalid stage identifier specified"));
    stages.push_back(fmt::format("{}/{}", *stage.rest_api_id, *stage.stage_name));
  }
  apis.keys.add({.key = key, .account = call.account, .region = call.region});
  co_await committed();
  co_return key;
}

Task<Reply<model::GetApiKeyOutput>> GetApiKey(RestApis& apis, const model::GetApiKeyInput& in, const Call& call) {
  co_return shown(CO_TRY(key_of(apis, call, in.api_key))->key, in.include_value.value_or(false));
}

Task<Reply<model::GetApiKeysOutput>> GetApiKeys(RestApis& apis, const model::GetApiKeysInput& in, const Call& call) {
  model::GetApiKeysOutput out;
  auto& items = out.items.emplace();
  for (const StoredKey* key : apis.keys.keys(call)) {
    if (in.name_query && !key->key.name.value_or("").starts_with(*in.name_query)) continue;
    if (in.customer_id && key->key.customer_id != in.customer_id) continue;
    items.push_back(shown(key->key, in.include_values.value_or(false)));
  }
  co_return out;
}

Task<Reply<model::UpdateApiKeyOutput>> UpdateApiKey(RestApis& apis, const model::UpdateApiKeyInput& in, const Call& call) {
  StoredKey* key = CO_TRY(key_of(apis, call, in.api_key));
  model::ApiKey edited = key->key;
  for (const auto& operation : in.patch_operations.value_or(std::vector<model::PatchOperation>{})) {
    const std::string path = operation.path.value_or("");
    if (path != "/name" && path != "/description" && path != "/enabled" && path != "/customerId")
      co_return Err(bad_request(fmt::format("Invalid patch path '{}' specified for op '{}'. Must be one of: [/description, /enabled, /name, /customerId]", path, operation.op.value_or(""))));
  }
  CO_TRY(patch(edited, in.patch_operations));
  edited.last_updated_date = from_seconds(to_seconds(call.now));
  key->key = edited;
  apis.keys.changed(*key);
  co_await committed();
  co_return shown(edited, false);
}

Task<Reply<model::DeleteApiKeyOutput>> DeleteApiKey(RestApis& apis, const model::DeleteApiKeyInput& in, const Call& call) {
  CO_TRY(key_of(apis, call, in.api_key));
  apis.keys.remove_key(in.api_key);
  co_await committed();
  co_return model::DeleteApiKeyOutput{};
}

}  // namespace reef::service::apigateway::operations
