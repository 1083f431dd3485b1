#include "service/cloudformation/dynamic_references.h"

#include <fmt/format.h>

#include "base/result.h"

namespace reef::cloudformation {

Task<Reply<Json>> resolve_dynamic_references(Cloudformation& cloud, const aws::Call& call, Json value) {
  if (value.is_array()) {
    for (Json& element : value.elements()) element = CO_TRY(co_await resolve_dynamic_references(cloud, call, std::move(element)));
    co_return value;
  }
  if (value.is_object()) {
    for (auto& [name, member] : value.members()) member = CO_TRY(co_await resolve_dynamic_references(cloud, call, std::move(member)));
    co_return value;
  }
  if (!value.is_string() || value.as_string().find("{{resolve:") == std::string::npos) co_return value;
  std::string text = value.as_string();
  for (std::size_t at = text.find("{{resolve:"); at != std::string::npos; at = text.find("{{resolve:", at)) {
    const std::size_t end = text.find("}}", at);
    if (end == std::string::npos) break;
    const std::string inner = text.substr(at + 10, end - at - 10);
    const std::size_t colon = inner.find(':');
    const std::string service = inner.substr(0, colon);
    const std::string name = colon == std::string::npos ? "" : inner.substr(colon + 1);
    if (service != "ssm" && service != "ssm-secure")
      co_return Err(invalid(fmt::format("Dynamic references to {} are not supported by this version of Atoll: {{{{resolve:{}}}}}", service, inner)));
    auto out = co_await cloud.caller.invoke_json(call, "ssm", "GetParameter", Json::object({{"Name", name}, {"WithDecryption", service == "ssm-secure"}}));
    if (!out) co_return Err(invalid(fmt::format("Parameters: [ssm:{}] cannot be found.", name)));
    const std::string found = (*out)["Parameter"].text("Value");
    text.replace(at, end + 2 - at, found);
    at += found.size();
  }
  co_return Json(std::move(text));
}

}  // namespace reef::cloudformation
