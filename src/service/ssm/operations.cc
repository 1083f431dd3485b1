// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_PutParameter.html and the other parameter operations.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/pattern.h"
#include "base/text.h"
#include "engine/store/shard.h"
#include "service/ssm/ssm.h"

namespace reef::service::ssm::operations {
namespace {

constexpr std::size_t kVersionsMax = 100, kStandardBytesMax = 4096, kAdvancedBytesMax = 8192, kLabelsMax = 10;

auto committed() { return store::Shard::control().committed(); }

aws::Error not_found() { return {errors::kParameterNotFound, ""}; }

aws::Reply<void> check_name(std::string_view name) {
  const bool characters = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' || c == '/';
  });
  const std::string lower = to_lower(name.starts_with('/') ? name.substr(1) : name);
  if (lower.starts_with("aws") || lower.starts_with("ssm")) {
    const bool slash = name.starts_with('/');
    return Err(aws::Error("ValidationException",
                          slash ? "Parameter name: can't be prefixed with \"aws\" or \"ssm\" (case-insensitive)."
                                : "Parameter name: can't be prefixed with \"ssm\" (case-insensitive). If formed as a path, it can consist of sub-paths divided "
                                  "by slash symbol; each sub-path can be formed as a mix of letters, numbers and the following 3 symbols .-_", 400));
  }
  if (name.empty() || !characters || (name.find('/') != std::string_view::npos && !name.starts_with('/')) || name.ends_with('/'))
    return Err(aws::Error("ValidationException",
                          !name.starts_with('/') && name.find('/') != std::string_view::npos
                              ? "Parameter name must be a fully qualified name."
                              : "Invalid parameter name. Please use correct syntax for referencing a version/label <name>:<version/label>", 400));
  if (std::count(name.begin(), name.end(), '/') > 15)
    return Err(aws::Error(errors::kHierarchyLevelLimitExceededException, "Parameter name hierarchy depth exceeds the limit of 15 levels."));
  return {};
}

// Cuts a list of parameters to a page; the token is the last name.
template <class T>
aws::Reply<std::optional<std::string>> cut_page(std::vector<T>& all, const std::optional<std::string>& token, std::size_t limit) {
  if (token) {
    const auto after = base64url_decode(*token);
    if (!after) return Err(aws::Error(errors::kInvalidNextToken, "The specified token is not valid."));
    std::erase_if(all, [&](const T& one) { return *one.name <= *after; });
  }
  if (all.size() <= limit) return std::optional<std::string>();
  all.resize(limit);
  return std::optional<std::string>(base64url_encode(*all.back().name));
}

// Filters by Name, Type, KeyId, Path, Tier, Label, DataType and tag:<key>.
aws::Reply<bool> passes(const StoredParameter& parameter, const model::ParameterStringFilter& filter) {
  const Version& latest = parameter.latest();
  const std::string option = filter.option.value_or(filter.key == "Path" ? "OneLevel" : "Equals");
  const std::vector<std::string> values = filter.values.value_or(std::vector<std::string>{});
  std::vector<std::string> actual;
  if (filter.key == "Name") actual = {parameter.name};
  else if (filter.key == "Type") actual = {latest.type};
  else if (filter.key == "KeyId") actual = {latest.key_id};
  else if (filter.key == "Tier") actual = {latest.tier};
  else if (filter.key == "DataType") actual = {latest.data_type};
  else if (filter.key == "Label") actual = latest.labels;
  else if (filter.key.starts_with("tag:")) {
    const auto tag = parameter.tags.find(filter.key.substr(4));
    if (tag == parameter.tags.end()) return false;
    if (values.empty()) return true;
    actual = {tag->second};
  } else if (filter.key == "Path") {
    return std::any_of(values.begin(), values.end(), [&](const std::string& path) {
      const std::string prefix = path.ends_with('/') ? path : path + "/";
      return parameter.name.starts_with(prefix) && (option == "Recursive" || parameter.name.find('/', prefix.size()) == std::string::npos);
    });
  } else {
    return Err(aws::Error(errors::kInvalidFilterKey, fmt::format("The following filter key is not valid: {}.", filter.key)));
  }
  return std::any_of(actual.begin(), actual.end(), [&](const std::string& have) {
    return std::any_of(values.begin(), values.end(), [&](const std::string& want) {
      if (option == "BeginsWith") return have.starts_with(want) || (filter.key == "Name" && have.starts_with("/" + want));
      if (option == "Contains") return have.find(want) != std::string::npos;
      return have == want;
    });
  });
}

aws::Reply<bool> passes_all(const StoredParameter& parameter, const std::optional<std::vector<model::ParameterStringFilter>>& filters) {
  if (filters)
    for (const auto& filter : *filters)
      if (!TRY(passes(parameter, filter))) return false;
  return true;
}

aws::Reply<StoredParameter> tagged(const Call& call, const std::string& type, const std::string& id) {
  if (type != "Parameter")
    return Err(aws::Error(errors::kInvalidResourceType, fmt::format("Resources of type {} are not supported by this version of Atoll.", type)));
  auto parameter = load(call, parse_reference(id).name);
  if (!parameter) return Err(aws::Error(errors::kInvalidResourceId, "The resource ID is not valid. Verify that you entered the correct ID and try again."));
  return *std::move(parameter);
}

}  // namespace

Task<Reply<model::PutParameterOutput>> PutParameter(Ssm& ssm, const model::PutParameterInput& in, const Call& call) {
  CO_TRY(check_name(in.name));
  auto existing = load(call, in.name);
  if (existing && !in.overwrite.value_or(false))
    co_return Err(aws::Error(errors::kParameterAlreadyExists, "The parameter already exists. To overwrite this value, set the overwrite option in the request to true."));
  if (existing && in.tags && !in.tags->empty())
    co_return Err(aws::Error("ValidationException", "Invalid request: tags and overwrite can't be used together. To create a parameter with tags, please remove "
                                                    "overwrite flag. To update tags for an existing parameter, please use AddTagsToResource or "
                                                    "RemoveTagsFromResource.", 400));
  if (!existing && !in.type)
    co_return Err(aws::Error("ValidationException", "A parameter type is required when you create a parameter.", 400));
  Version version;
  if (existing) version = existing->latest();
  version.labels.clear();
  version.number = existing ? existing->latest().number + 1 : 1;
  version.value = in.value;
  version.type = in.type.value_or(version.type);
  version.description = in.description.value_or(version.description);
  version.allowed_pattern = in.allowed_pattern.value_or("");
  version.data_type = in.data_type.value_or("text");
  version.tier = in.tier.value_or(version.tier.empty() ? "Standard" : version.tier);
  if (version.tier == "Intelligent-Tiering") version.tier = in.value.size() > kStandardBytesMax ? "Advanced" : "Standard";
  if (version.type == "SecureString") version.key_id = in.key_id.value_or("alias/aws/ssm");
  version.user = call.principal.arn;
  version.modified = call.now;
  if (in.value.size() > (version.tier == "Advanced" ? kAdvancedBytesMax : kStandardBytesMax))
    co_return Err(aws::Error("ValidationException",
                             version.tier == "Advanced" ? "Parameter values can't exceed 8192 characters."
                                                        : "Standard tier parameters support a maximum parameter value of 4096 characters. To create a larger "
                                                          "parameter value, upgrade the parameter to use the advanced-parameter tier.", 400));
  if (!version.allowed_pattern.empty()) {
    const auto pattern = Pattern::compile(version.allowed_pattern, {.whole = false});
    if (!pattern) co_return Err(aws::Error(errors::kInvalidAllowedPatternException, "The request doesn't meet the regular expression requirement."));
    if (!pattern->matches(in.value))
      co_return Err(aws::Error(errors::kParameterPatternMismatchException, "Parameter value, cannot be validated against allowedPattern: " + version.allowed_pattern));
  }
  const bool is_new = !existing;
  StoredParameter parameter = existing ? *std::move(existing) : StoredParameter{.name = in.name, .versions = {}, .tags = {}};
  if (in.tags)
    for (const auto& tag : *in.tags) parameter.tags.insert_or_assign(tag.key, tag.value);
  if (parameter.versions.size() >= kVersionsMax) {
    if (!parameter.versions.front().labels.empty())
      co_return Err(aws::Error(errors::kParameterMaxVersionLimitExceeded,
                               fmt::format("You attempted to create a new version of {} by calling the PutParameter API with the overwrite flag. Version {}, the oldest "
                                           "version, can't be deleted because it has a label associated with it. Move the label to another version of the parameter, and "
                                           "try again.", in.name, parameter.versions.front().number)));
    parameter.versions.erase(parameter.versions.begin());
  }
  parameter.versions.push_back(version);
  save(call, parameter);
  tell(ssm, call, parameter, is_new ? "Create" : "Update");
  co_await committed();
  co_return model::PutParameterOutput{.version = version.number, .tier = version.tier};
}

Task<Reply<model::GetParameterOutput>> GetParameter(Ssm&, const model::GetParameterInput& in, const Call& call) {
  const Reference reference = parse_reference(in.name);
  const auto parameter = load(call, reference.name);
  if (!parameter) co_return Err(not_found());
  const Version* version = CO_TRY(select(*parameter, reference.selector));
  model::GetParameterOutput out;
  out.parameter = to_model(call, *parameter, *version, in.with_decryption.value_or(false));
  if (!reference.selector.empty()) out.parameter->selector = reference.selector;
  co_return out;
}

Task<Reply<model::GetParametersOutput>> GetParameters(Ssm&, const model::GetParametersInput& in, const Call& call) {
  if (in.names.size() > 10)
    co_return Err(aws::Error("ValidationException", fmt::format("1 validation error detected: Value '[{}]' at 'names' failed to satisfy constraint: Member must have "
                                                                "length less than or equal to 10", join(in.names, ", ")), 400));
  model::GetParametersOutput out;
  auto& found = out.parameters.emplace();
  auto& invalid = out.invalid_parameters.emplace();
  for (const std::string& name : in.names) {
    const Reference reference = parse_reference(name);
    const auto parameter = load(call, reference.name);
    const auto version = parameter ? select(*parameter, reference.selector) : Err(not_found());
    if (!version) {
      invalid.push_back(name);
      continue;
    }
    found.push_back(to_model(call, *parameter, **version, in.with_decryption.value_or(false)));
    if (!reference.selector.empty()) found.back().selector = reference.selector;
  }
  co_return out;
}

Task<Reply<model::GetParametersByPathOutput>> GetParametersByPath(Ssm&, const model::GetParametersByPathInput& in, const Call& call) {
  if (!in.path.starts_with('/'))
    co_return Err(aws::Error("ValidationException", "The parameter doesn't meet the parameter name requirements. The parameter name must begin with a forward slash \"/\".", 400));
  const std::string prefix = in.path.ends_with('/') ? in.path : in.path + "/";
  std::vector<model::Parameter> all;
  for (const StoredParameter& parameter : load_all(call, prefix)) {
    if (!in.recursive.value_or(false) && parameter.name.find('/', prefix.size()) != std::string::npos) continue;
    if (CO_TRY(passes_all(parameter, in.parameter_filters))) all.push_back(to_model(call, parameter, parameter.latest(), in.with_decryption.value_or(false)));
  }
  model::GetParametersByPathOutput out;
  out.next_token = CO_TRY(cut_page(all, in.next_token, static_cast<std::size_t>(in.max_results.value_or(10))));
  out.parameters = std::move(all);
  co_return out;
}

Task<Reply<model::DeleteParameterOutput>> DeleteParameter(Ssm& ssm, const model::DeleteParameterInput& in, const Call& call) {
  const auto parameter = load(call, parse_reference(in.name).name);
  if (!parameter || !erase(call, parameter->name)) co_return Err(not_found());
  tell(ssm, call, *parameter, "Delete");
  co_await committed();
  co_return model::DeleteParameterOutput{};
}

Task<Reply<model::DeleteParametersOutput>> DeleteParameters(Ssm& ssm, const model::DeleteParametersInput& in, const Call& call) {
  model::DeleteParametersOutput out;
  auto& deleted = out.deleted_parameters.emplace();
  auto& invalid = out.invalid_parameters.emplace();
  for (const std::string& name : in.names) {
    const auto parameter = load(call, name);
    (erase(call, name) ? deleted : invalid).push_back(name);
    if (parameter) tell(ssm, call, *parameter, "Delete");
  }
  co_await committed();
  co_return out;
}

Task<Reply<model::DescribeParametersOutput>> DescribeParameters(Ssm&, const model::DescribeParametersInput& in, const Call& call) {
  std::vector<model::ParameterMetadata> all;
  for (const StoredParameter& parameter : load_all(call, "")) {
    if (!CO_TRY(passes_all(parameter, in.parameter_filters))) continue;
    bool listed = true;
    if (in.filters)
      for (const auto& filter : *in.filters)
        listed = listed && CO_TRY(passes(parameter, {.key = filter.key, .option = filter.key == "Name" ? "BeginsWith" : "Equals", .values = filter.values}));
    if (!listed) continue;
    const Version& latest = parameter.latest();
    auto& one = all.emplace_back();
    one.name = parameter.name;
    one.arn = parameter_arn(call, parameter.name);
    one.type = latest.type;
    if (!latest.key_id.empty()) one.key_id = latest.key_id;
    one.last_modified_date = latest.modified;
    one.last_modified_user = latest.user;
    if (!latest.description.empty()) one.description = latest.description;
    if (!latest.allowed_pattern.empty()) one.allowed_pattern = latest.allowed_pattern;
    one.version = latest.number;
    one.tier = latest.tier;
    one.policies.emplace();
    one.data_type = latest.data_type;
  }
  model::DescribeParametersOutput out;
  out.next_token = CO_TRY(cut_page(all, in.next_token, static_cast<std::size_t>(in.max_results.value_or(50))));
  out.parameters = std::move(all);
  co_return out;
}

Task<Reply<model::GetParameterHistoryOutput>> GetParameterHistory(Ssm&, const model::GetParameterHistoryInput& in, const Call& call) {
  const auto parameter = load(call, in.name);
  if (!parameter) co_return Err(not_found());
  std::size_t from = 0;
  if (in.next_token) {
    const auto at = parse_int<std::size_t>(*in.next_token);
    if (!at) co_return Err(aws::Error(errors::kInvalidNextToken, "The specified token is not valid."));
    from = std::min(*at, parameter->versions.size());
  }
  const std::size_t to = std::min(parameter->versions.size(), from + static_cast<std::size_t>(in.max_results.value_or(50)));
  model::GetParameterHistoryOutput out;
  auto& history = out.parameters.emplace();
  for (std::size_t i = from; i < to; ++i) {
    const Version& version = parameter->versions[i];
    auto& one = history.emplace_back();
    one.name = parameter->name;
    one.type = version.type;
    if (!version.key_id.empty()) one.key_id = version.key_id;
    one.last_modified_date = version.modified;
    one.last_modified_user = version.user;
    if (!version.description.empty()) one.description = version.description;
    one.value = to_model(call, *parameter, version, in.with_decryption.value_or(false)).value;
    if (!version.allowed_pattern.empty()) one.allowed_pattern = version.allowed_pattern;
    one.version = version.number;
    one.labels = version.labels;
    one.tier = version.tier;
    one.policies.emplace();
    one.data_type = version.data_type;
  }
  if (to < parameter->versions.size()) out.next_token = std::to_string(to);
  co_return out;
}

Task<Reply<model::LabelParameterVersionOutput>> LabelParameterVersion(Ssm& ssm, const model::LabelParameterVersionInput& in, const Call& call) {
  auto parameter = load(call, in.name);
  if (!parameter) co_return Err(not_found());
  const std::int64_t number = in.parameter_version.value_or(parameter->latest().number);
  const auto version = std::find_if(parameter->versions.begin(), parameter->versions.end(), [&](const Version& v) { return v.number == number; });
  if (version == parameter->versions.end())
    co_return Err(aws::Error(errors::kParameterVersionNotFound,
                             fmt::format("Systems Manager could not find version {} of {}. Verify the version and try again.", number, in.name)));
  model::LabelParameterVersionOutput out;
  auto& invalid = out.invalid_labels.emplace();
  for (const std::string& label : in.labels) {
    const std::string lower = to_lower(label);
    if (lower.starts_with("aws") || lower.starts_with("ssm") || parse_int(label.substr(0, 1))) {
      invalid.push_back(label);
      continue;
    }
    for (Version& other : parameter->versions) std::erase(other.labels, label);  // a label names one version
    version->labels.push_back(label);
  }
  if (version->labels.size() > kLabelsMax)
    co_return Err(aws::Error(errors::kParameterVersionLabelLimitExceeded,
                             "A parameter version can have maximum 10 labels.Move one or more labels to another version and try again."));
  save(call, *parameter);
  tell(ssm, call, *parameter, "LabelParameterVersion");
  co_await committed();
  out.parameter_version = number;
  co_return out;
}

Task<Reply<model::UnlabelParameterVersionOutput>> UnlabelParameterVersion(Ssm&, const model::UnlabelParameterVersionInput& in, const Call& call) {
  auto parameter = load(call, in.name);
  if (!parameter) co_return Err(not_found());
  model::UnlabelParameterVersionOutput out;
  auto& removed = out.removed_labels.emplace();
  auto& invalid = out.invalid_labels.emplace();
  for (Version& version : parameter->versions) {
    if (version.number != in.parameter_version) continue;
    for (const std::string& label : in.labels) (std::erase(version.labels, label) ? removed : invalid).push_back(label);
    save(call, *parameter);
    co_await committed();
    co_return out;
  }
  co_return Err(aws::Error(errors::kParameterVersionNotFound,
                           fmt::format("Systems Manager could not find version {} of {}. Verify the version and try again.", in.parameter_version, in.name)));
}

Task<Reply<model::AddTagsToResourceOutput>> AddTagsToResource(Ssm&, const model::AddTagsToResourceInput& in, const Call& call) {
  StoredParameter parameter = CO_TRY(tagged(call, in.resource_type, in.resource_id));
  for (const auto& tag : in.tags) parameter.tags.insert_or_assign(tag.key, tag.value);
  if (parameter.tags.size() > 50) co_return Err(aws::Error(errors::kTooManyTagsError, "The Targets parameter includes too many tags."));
  save(call, parameter);
  co_await committed();
  co_return model::AddTagsToResourceOutput{};
}

Task<Reply<model::RemoveTagsFromResourceOutput>> RemoveTagsFromResource(Ssm&, const model::RemoveTagsFromResourceInput& in, const Call& call) {
  StoredParameter parameter = CO_TRY(tagged(call, in.resource_type, in.resource_id));
  for (const std::string& key : in.tag_keys) parameter.tags.erase(key);
  save(call, parameter);
  co_await committed();
  co_return model::RemoveTagsFromResourceOutput{};
}

Task<Reply<model::ListTagsForResourceOutput>> ListTagsForResource(Ssm&, const model::ListTagsForResourceInput& in, const Call& call) {
  const StoredParameter parameter = CO_TRY(tagged(call, in.resource_type, in.resource_id));
  model::ListTagsForResourceOutput out;
  auto& tags = out.tag_list.emplace();
  for (const auto& [key, value] : parameter.tags) tags.push_back({.key = key, .value = value});
  co_return out;
}

}  // namespace reef::service::ssm::operations
