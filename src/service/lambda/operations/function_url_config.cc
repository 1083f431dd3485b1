// https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunctionUrlConfig.html
#include <fmt/format.h>

#include "base/random.h"
#include "service/lambda/function_urls.h"
#include "service/lambda/operations.h"
#include "service/lambda/publishing.h"
#include "service/lambda/resolver.h"

namespace reef::service::lambda::operations {
namespace {

constexpr const char* kNoFunction = "Function does not exist";
constexpr const char* kNoUrl = "The resource you requested does not exist.";

// `absent` is what is said when there is no such function or alias.
Reply<FunctionName> url_owner(Lambda& lambda, const std::string& text, const std::optional<std::string>& qualifier, const Call& call, const char* absent) {
  auto [name, function] = TRY(find_function(lambda, text, qualifier, call, absent));
  if (name.qualifier == "$LATEST" || is_version_number(name.qualifier))
    return Err(invalid_parameter("The qualifier of a function URL must be an alias name."));
  if (!find_version(lambda, name, function)) return Err(not_found(absent));
  return name;
}

aws::Error no_url() { return not_found(kNoUrl); }

}  // namespace

Task<Reply<model::CreateFunctionUrlConfigOutput>> create_function_url_config(Lambda& lambda, const model::CreateFunctionUrlConfigInput& in, const Call& call) {
  const FunctionName name = CO_TRY(url_owner(lambda, in.function_name, in.qualifier, call, kNoFunction));
  if (lambda.repository.url(name)) co_return Err(conflict(fmt::format("Failed to create function url config for [functionArn = {}]. Error message:  FunctionUrlConfig exists for this Lambda function", name.qualified_arn())));
  StoredUrl url;
  url.id = make_token(thread_random(), 32);
  url.qualifier = name.qualifier;
  url.config.function_url = url_text(url.id, name.region, call.endpoint);
  url.config.function_arn = name.qualified_arn();
  url.config.auth_type = in.auth_type;
  url.config.cors = in.cors;
  url.config.creation_time = url.config.last_modified_time = format_iso8601(call.now, true);
  url.config.invoke_mode = in.invoke_mode.value_or("BUFFERED");
  lambda.repository.put_url(name, url);
  co_await stored();
  co_return model::CreateFunctionUrlConfigOutput{.function_url = url.config.function_url, .function_arn = url.config.function_arn, .auth_type = url.config.auth_type,
      .cors = url.config.cors, .creation_time = url.config.creation_time, .invoke_mode = in.invoke_mode};
}

Task<Reply<model::GetFunctionUrlConfigOutput>> get_function_url_config(Lambda& lambda, const model::GetFunctionUrlConfigInput& in, const Call& call) {
  const FunctionName name = CO_TRY(url_owner(lambda, in.function_name, in.qualifier, call, kNoUrl));
  const auto url = lambda.repository.url(name);
  if (!url) co_return Err(no_url());
  co_return model::GetFunctionUrlConfigOutput{.function_url = url->config.function_url, .function_arn = url->config.function_arn, .auth_type = url->config.auth_type,
      .cors = url->config.cors, .creation_time = url->config.creation_time, .last_modified_time = url->config.last_modified_time, .invoke_mode = url->config.invoke_mode};
}

Task<Reply<model::ListFunctionUrlConfigsOutput>> list_function_url_configs(Lambda& lambda, const model::ListFunctionUrlConfigsInput& in, const Call& call) {
  const auto [name, function] = CO_TRY(find_function(lambda, in.function_name, std::nullopt, call, kNoFunction));
  std::vector<model::FunctionUrlConfig> all;
  for (const StoredUrl& url : lambda.repository.urls(name)) all.push_back(url.config);
  model::ListFunctionUrlConfigsOutput out;
  out.function_url_configs = page(std::move(all), in.marker, in.max_items, 50, out.next_marker);
  co_return out;
}

Task<Reply<model::UpdateFunctionUrlConfigOutput>> update_function_url_config(Lambda& lambda, const model::UpdateFunctionUrlConfigInput& in, const Call& call) {
  const FunctionName name = CO_TRY(url_owner(lambda, in.function_name, in.qualifier, call, kNoFunction));
  auto url = lambda.repository.url(name);
  if (!url) co_return Err(no_url());
  if (in.auth_type) url->config.auth_type = *in.auth_type;
  if (in.cors) url->config.cors = in.cors;
  if (in.invoke_mode) url->config.invoke_mode = in.invoke_mode;
  url->config.last_modified_time = format_iso8601(call.now, true);
  lambda.repository.put_url(name, *url);
  co_await stored();
  co_return model::UpdateFunctionUrlConfigOutput{.function_url = url->config.function_url, .function_arn = url->config.function_arn, .auth_type = url->config.auth_type,
      .cors = url->config.cors, .creation_time = url->config.creation_time, .last_modified_time = url->config.last_modified_time, .invoke_mode = url->config.invoke_mode};
}

Task<Reply<model::DeleteFunctionUrlConfigOutput>> delete_function_url_config(Lambda& lambda, const model::DeleteFunctionUrlConfigInput& in, const Call& call) {
  const FunctionName name = CO_TRY(url_owner(lambda, in.function_name, in.qualifier, call, kNoUrl));
  if (!lambda.repository.erase_url(name)) co_return Err(no_url());
  co_await stored();
  co_return model::DeleteFunctionUrlConfigOutput{};
}

}  // namespace reef::service::lambda::operations
