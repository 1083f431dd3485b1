#include "service/lambda/resource_checks.h"

#include <algorithm>

#include <fmt/format.h>

#include "aws/unknown_value.h"
#include "base/text.h"
#include "service/lambda/configuration.h"

namespace reef::service::lambda::resources {
namespace {

using wire::Json;

std::string not_supported(std::string_view what) { return fmt::format("{} is not supported by this version of Atoll.", what); }

// A number that is written out, however it is spelled.
std::optional<std::int32_t> number(const Json& value) { return parse_int<std::int32_t>(value.scalar_text().value_or("")); }

bool is_dynamic(const std::string& text) { return text.find("{{resolve:") != std::string::npos; }

// Members of a nested property that nobody would look at.
std::string unknown_member(const Json& properties, std::string_view property, std::initializer_list<std::string_view> known) {
  const Json& value = properties[property];
  if (!value.is_object() || aws::is_unknown(value)) return {};
  for (const auto& [name, ignored] : value.as_object())
    if (std::ranges::find(known, name) == known.end()) return fmt::format("/{}: extraneous key [{}] is not permitted ({} is not supported)", property, name, name);
  return {};
}

}  // namespace

std::string check_function_values(const Json& properties) {
  if (properties.text("PackageType") == "Image" || properties["Code"].contains("ImageUri")) return not_supported("/PackageType: Image");
  if (const std::string& runtime = properties.text("Runtime"); !runtime.empty() && !is_dynamic(runtime))
    if (const auto checked = check_runtime(runtime); !checked) return "/Runtime: " + checked.error().message;
  if (const auto checked = check_timeout_and_memory(number(properties["Timeout"]), number(properties["MemorySize"])); !checked) return checked.error().message;
  if (std::string problem = unknown_member(properties, "Code", {"S3Bucket", "S3Key", "S3ObjectVersion", "ZipFile"}); !problem.empty()) return problem;
  if (const std::string& mode = properties["SnapStart"].text("ApplyOn"); mode == "PublishedVersions") return not_supported("/SnapStart/ApplyOn: PublishedVersions");
  if (properties.contains("Code") && properties["Code"].is_object() && properties["Code"].size() == 0) return "/Code: needs S3Bucket and S3Key, or ZipFile";
  std::map<std::string, std::string, std::less<>> variables;
  for (const auto& [name, value] : properties["Environment"]["Variables"].as_object()) variables.emplace(name, value.scalar_text().value_or(""));
  if (const auto checked = check_environment(variables); !checked) return checked.error().message;
  return {};
}

std::string check_mapping_values(const Json& properties) {
  const std::string& source = properties.text("EventSourceArn");
  if (!source.empty() && !is_dynamic(source) && !source.starts_with("arn:aws:sqs:"))
    return fmt::format("The event source '{}' is not supported by this version of Atoll: event source mappings read from SQS queues.", source);
  for (const std::string_view name : {"StartingPosition", "ParallelizationFactor", "BisectBatchOnFunctionError", "TumblingWindowInSeconds", "MaximumRetryAttempts", "MaximumRecordAgeInSeconds"})
    if (properties.contains(name)) return fmt::format("/{}: event source mappings of streams are not supported by this version of Atoll; those of SQS queues take no {}.", name, name);
  return {};
}

std::string check_event_config_values(const Json& properties) {
  for (const std::string_view event : {"OnFailure", "OnSuccess"})
    if (const std::string& arn = properties["DestinationConfig"][event].text("Destination"); arn.starts_with("arn:aws:s3:"))
      return not_supported(fmt::format("/DestinationConfig/{}: the S3 destination {}", event, arn));
  return {};
}

}  // namespace reef::service::lambda::resources
