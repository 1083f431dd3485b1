#include "service/lambda/resource_values.h"

#include "aws/models/lambda.h"

namespace reef::service::lambda::resources {

using wire::Json;

void copy(const Json& from, Json& to, std::string_view name, As as) {
  const Json* value = from.find(name);
  if (!value || value->is_null()) return;
  switch (as) {
    case As::kAny: to.set(name, *value); return;
    case As::kNumber: to.set(name, value->is_string() ? Json::number(value->as_string()) : *value); return;
    case As::kBool: to.set(name, value->is_string() ? Json(value->as_string() == "true") : *value); return;
    case As::kText: to.set(name, value->scalar_text().value_or("")); return;
  }
}

Json tag_map(std::initializer_list<const Json*> lists) {
  Json map = Json::object();
  for (const Json* list : lists)
    if (list)
      for (const Json& tag : list->as_array()) map.set(tag.text("Key"), tag["Value"].scalar_text().value_or(""));
  return map;
}

Task<aws::Reply<Json>> run(const aws::ResourceContext& context, std::string_view operation, const Json& input) {
  co_return co_await context.caller.invoke_json(context.call, "lambda", operation, input);
}

Task<aws::Reply<void>> run_if_there(const aws::ResourceContext& context, std::string_view operation, const Json& input) {
  auto out = co_await run(context, operation, input);
  if (!out && out.error().code != aws::lambda::errors::kResourceNotFoundException.code) co_return std::unexpected(out.error());
  co_return aws::Reply<void>();
}

}  // namespace reef::service::lambda::resources
