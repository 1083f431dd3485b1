// What the CloudFormation types of REST APIs have in common: calls to the API, and templates' values as the API takes them.
#pragma once

#include <cctype>
#include <string>
#include <string_view>

#include "aws/resource.h"

namespace reef::service::apigateway::resources {

inline Task<aws::Reply<wire::Json>> call(const aws::ResourceContext& context, std::string_view operation, wire::Json input) {
  return aws::call_operation(context, "apigateway", operation, std::move(input));
}
// A removal, which is done when there is nothing any more.
inline Task<aws::Reply<void>> call_gone(const aws::ResourceContext& context, std::string_view operation, wire::Json input) {
  return aws::call_unless_gone(context, "apigateway", operation, std::move(input), "NotFoundException");
}

// "RestApiId" -> "restApiId": the API's members are the template's in lower camel case.
inline std::string lower_first(std::string_view name) {
  std::string out(name);
  out[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(out[0])));
  return out;
}

// Templates may write documents as texts, and numbers and truths too.
inline std::string text_of(const wire::Json& value) { return value.is_string() ? value.as_string() : value.dump(); }
inline wire::Json boolean(const wire::Json& value) { return value.scalar_text() == "true"; }
inline wire::Json number(const wire::Json& value) { return wire::Json::number(value.scalar_text().value_or("0")); }

// The stack's tags and over them the resource's own, as a map.
inline wire::Json tags_of(const aws::ResourceContext& context, const wire::Json& list) {
  wire::Json out = wire::Json::object();
  for (const wire::Json* tags : {&context.tags, &list})
    for (const wire::Json& tag : tags->as_array()) out.set(tag.text("Key"), tag["Value"].scalar_text().value_or(""));
  return out;
}

// One of an Update call's patchOperations.
inline wire::Json patch(std::string_view op, std::string path, std::string value) {
  return wire::Json::object({{"op", op}, {"path", std::move(path)}, {"value", std::move(value)}});
}
inline wire::Json replace(std::string path, std::string value) { return patch("replace", std::move(path), std::move(value)); }

}  // namespace reef::service::apigateway::resources
