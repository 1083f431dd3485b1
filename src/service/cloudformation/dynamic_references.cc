#include "service/cloudformation/dynamic_references.h"

#include <fmt/format.h>

#include "base/result.h"
#include "base/text.h"

namespace reef::cloudformation {

namespace {

// "secret-id:SecretString:json-key:version-stage:version-id", where the id may be an ARN and everything after it is optional.
Task<Reply<std::string>> resolve_secret(Cloudformation& cloud, const aws::Call& call, std::string inner) {
  std::vector<std::string> parts;
  for (const std::string_view part : split(inner, ':')) parts.emplace_back(part);
  if (parts.size() >= 7 && parts[0] == "arn") {
    std::string arn = parts[0];
    for (std::size_t i = 1; i < 7; ++i) arn += ":" + parts[i];
    parts.erase(parts.begin(), parts.begin() + 7);
    parts.insert(parts.begin(), arn);
  }
  const auto part = [&](std::size_t i) { return i < parts.size() ? parts[i] : std::string(); };
  if (!part(1).empty() && part(1) != "SecretString")
    co_return Err(invalid(fmt::format("Incorrect format is used in the following reference: [{{{{resolve:secretsmanager:{}}}}}]", inner)));
  Json input = Json::object({{"SecretId", part(0)}});
  if (!part(3).empty()) input.set("VersionStage", part(3));
  if (!part(4).empty()) input.set("VersionId", part(4));
  const auto out = co_await cloud.caller.invoke_json(call, "secretsmanager", "GetSecretValue", input);
  if (!out) co_return Err(invalid(fmt::format("{} (Service: AWSSecretsManager; Status Code: {}; Error Code: {})", out.error().message, out.error().status, out.error().code)));
  const std::string& text = out->text("SecretString");
  if (part(2).empty()) co_return text;
  const auto document = Json::parse(text);
  const Json* value = document ? document->find(part(2)) : nullptr;
  if (!value) co_return Err(invalid(fmt::format("Could not find a value associated with JSONKey in SecretString")));
  co_return value->scalar_text().value_or(value->dump());
}

}  // namespace

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
    if (service == "secretsmanager") {
      const std::string secret = CO_TRY(co_await resolve_secret(cloud, call, name));
      text.replace(at, end + 2 - at, secret);
      at += secret.size();
      continue;
    }
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
