// What Lambda serves, and nothing else.
#include "aws/resource.h"
#include "aws/service.h"
#include "base/log.h"
#include "engine/store/reset_hooks.h"
#include "service/lambda/async_invocations.h"
#include "service/lambda/function_urls.h"
#include "service/lambda/limits.h"
#include "service/lambda/mappings.h"
#include "service/lambda/operations.h"
#include "service/lambda/packages.h"
#include "service/lambda/resolver.h"
#include "service/lambda/resources.h"

namespace reef::service {
namespace lambda {

Lambda::Lambda(Parts& parts)
    : functions(parts.get<function::Functions>()), deliveries(parts.get<delivery::Deliveries>()), caller(parts.get<aws::Caller>()), spans(parts.get<telemetry::Spans>()), counters(parts.get<metrics::Counters>()), networks(parts.get<network::Networks>()), access_keys(parts.get<aws::AccessKeys>()),
      resolver(std::make_unique<Resolver>(repository)), async(std::make_unique<AsyncInvocations>(*this)),
      mappings(std::make_unique<Mappings>(*this)), urls(std::make_unique<FunctionUrls>(*this)) {
  parts.add(*urls);
  parts.get<store::ResetHooks>().hooks.push_back([this]() -> Task<void> {
    for (const StoredMapping& mapping : repository.mappings("")) mappings->remove(mapping.config.uuid.value_or(""));
    repository.invalidate();
    functions.retire_all();
    deliveries.forget();
    co_return;
  });
}
Lambda::~Lambda() = default;
void Lambda::start() {
  if (const auto started = functions.start(); !started) log::error("function runtimes not written", {{"reason", started.error().message}});
  sweep_packages(*this);
  async->start();
  mappings->start();
}
void Lambda::stop() {
  mappings->stop();
  deliveries.stop();
  functions.stop();
}

namespace {

using aws::serve;
namespace ops = aws::lambda::ops;

const aws::ServiceDefinition kLambda{
    .model = &aws::lambda::kModel,
    .placement = aws::Placement::kControl,
    .operations =
        {
            serve<operations::add_layer_version_permission>(ops::kAddLayerVersionPermission),
            serve<operations::add_permission>(ops::kAddPermission),
            serve<operations::create_alias>(ops::kCreateAlias),
            serve<operations::create_event_source_mapping>(ops::kCreateEventSourceMapping),
            serve<operations::create_function>(ops::kCreateFunction),
            serve<operations::create_function_url_config>(ops::kCreateFunctionUrlConfig),
            serve<operations::delete_alias>(ops::kDeleteAlias),
            serve<operations::delete_event_source_mapping>(ops::kDeleteEventSourceMapping),
            serve<operations::delete_function>(ops::kDeleteFunction),
            serve<operations::delete_function_concurrency>(ops::kDeleteFunctionConcurrency),
            serve<operations::delete_function_event_invoke_config>(ops::kDeleteFunctionEventInvokeConfig),
            serve<operations::delete_function_url_config>(ops::kDeleteFunctionUrlConfig),
            serve<operations::delete_layer_version>(ops::kDeleteLayerVersion),
            serve<operations::get_account_settings>(ops::kGetAccountSettings),
            serve<operations::get_alias>(ops::kGetAlias),
            serve<operations::get_event_source_mapping>(ops::kGetEventSourceMapping),
            serve<operations::get_function>(ops::kGetFunction),
            serve<operations::get_function_code_signing_config>(ops::kGetFunctionCodeSigningConfig),
            serve<operations::get_function_concurrency>(ops::kGetFunctionConcurrency),
            serve<operations::get_function_configuration>(ops::kGetFunctionConfiguration),
            serve<operations::get_function_event_invoke_config>(ops::kGetFunctionEventInvokeConfig),
            serve<operations::get_function_url_config>(ops::kGetFunctionUrlConfig),
            serve<operations::get_layer_version>(ops::kGetLayerVersion),
            serve<operations::get_layer_version_by_arn>(ops::kGetLayerVersionByArn),
            serve<operations::get_layer_version_policy>(ops::kGetLayerVersionPolicy),
            serve<operations::get_policy>(ops::kGetPolicy),
            serve<operations::get_runtime_management_config>(ops::kGetRuntimeManagementConfig),
            serve<operations::invoke>(ops::kInvoke),
            serve<operations::invoke_async>(ops::kInvokeAsync),
            serve<operations::invoke_with_response_stream>(ops::kInvokeWithResponseStream),
            serve<operations::list_aliases>(ops::kListAliases),
            serve<operations::list_event_source_mappings>(ops::kListEventSourceMappings),
            serve<operations::list_function_event_invoke_configs>(ops::kListFunctionEventInvokeConfigs),
            serve<operations::list_function_url_configs>(ops::kListFunctionUrlConfigs),
            serve<operations::list_functions>(ops::kListFunctions),
            serve<operations::list_layer_versions>(ops::kListLayerVersions),
            serve<operations::list_layers>(ops::kListLayers),
            serve<operations::list_tags>(ops::kListTags),
            serve<operations::list_versions_by_function>(ops::kListVersionsByFunction),
            serve<operations::publish_layer_version>(ops::kPublishLayerVersion),
            serve<operations::publish_version>(ops::kPublishVersion),
            serve<operations::put_function_concurrency>(ops::kPutFunctionConcurrency),
            serve<operations::put_function_event_invoke_config>(ops::kPutFunctionEventInvokeConfig),
            serve<operations::remove_layer_version_permission>(ops::kRemoveLayerVersionPermission),
            serve<operations::remove_permission>(ops::kRemovePermission),
            serve<operations::tag_resource>(ops::kTagResource),
            serve<operations::untag_resource>(ops::kUntagResource),
            serve<operations::update_alias>(ops::kUpdateAlias),
            serve<operations::update_event_source_mapping>(ops::kUpdateEventSourceMapping),
            serve<operations::update_function_code>(ops::kUpdateFunctionCode),
            serve<operations::update_function_configuration>(ops::kUpdateFunctionConfiguration),
            serve<operations::update_function_event_invoke_config>(ops::kUpdateFunctionEventInvokeConfig),
            serve<operations::update_function_url_config>(ops::kUpdateFunctionUrlConfig),
        },
    .resources = {&resources::kFunction, &resources::kVersion, &resources::kAlias, &resources::kPermission, &resources::kUrl,
                  &resources::kEventSourceMapping, &resources::kEventInvokeConfig, &resources::kLayerVersion,
                  &resources::kLayerVersionPermission},
    .body_bytes_max = limits::kRequestBytesMax,
};

}  // namespace
}  // namespace lambda

std::unique_ptr<aws::Service> make_lambda(Parts& parts) {
  return std::make_unique<aws::ServiceOf<lambda::Lambda>>(lambda::kLambda, parts);
}

}  // namespace reef::service
