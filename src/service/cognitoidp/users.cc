// Users and their attributes as the API has them.
// https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-attributes.html
#include <algorithm>

#include <fmt/format.h>

#include "base/random.h"
#include "base/text.h"
#include "service/cognitoidp/cognitoidp.h"

namespace reef::service::cognito {
namespace {

constexpr std::size_t kAttributeMax = 2048;

aws::Error schema_error(std::string_view name, std::string_view what) {
  return aws::Error(errors::kInvalidParameterException, fmt::format("Attributes did not conform to the schema: {}: {}", name, what));
}

const model::SchemaAttributeType* schema_of(const Pool& pool, std::string_view name) {
  if (!pool.value.schema_attributes) return nullptr;
  for (const auto& one : *pool.value.schema_attributes)
    if (one.name == name) return &one;
  return nullptr;
}

Reply<void> check_value(const model::SchemaAttributeType& schema, const std::string& name, const std::string& value) {
  if (value.size() > kAttributeMax) return Err(schema_error(name, fmt::format("String must be no longer than {} characters", kAttributeMax)));
  if (schema.attribute_data_type == "Number") {
    const auto number = parse_int<std::int64_t>(value);
    if (!value.empty() && !number) return Err(schema_error(name, fmt::format("Attribute {} must be a number", name)));
    if (schema.number_attribute_constraints && number) {
      const auto& limits = *schema.number_attribute_constraints;
      if (const auto least = parse_int<std::int64_t>(limits.min_value.value_or("")); least && *number < *least) return Err(schema_error(name, "Number is too small"));
      if (const auto most = parse_int<std::int64_t>(limits.max_value.value_or("")); most && *number > *most) return Err(schema_error(name, "Number is too large"));
    }
  } else if (schema.attribute_data_type == "Boolean") {
    if (value != "true" && value != "false" && !value.empty()) return Err(schema_error(name, "Attribute must be a boolean"));
  } else if (schema.string_attribute_constraints) {
    const auto& limits = *schema.string_attribute_constraints;
    const std::size_t length = count_code_points(value);
    if (const auto least = parse_int<std::size_t>(limits.min_length.value_or("")); least && length < *least) return Err(schema_error(name, fmt::format("String must be at least {} characters long", *least)));
    if (const auto most = parse_int<std::size_t>(limits.max_length.value_or("")); most && length > *most) return Err(schema_error(name, fmt::format("String must be no longer than {} characters", *most)));
  }
  if (name == "email" && !value.empty()) {
    const auto at = value.find('@');
    if (at == std::string::npos || at == 0 || at + 1 == value.size() || value.find('@', at + 1) != std::string::npos || value.find_first_of(" \t\r\n") != std::string::npos)
      return Err(aws::Error(errors::kInvalidParameterException, "Invalid email address format."));
  }
  if (name == "phone_number" && !value.empty() && (value.size() < 3 || value[0] != '+' || !std::all_of(value.begin() + 1, value.end(), [](char c) { return c >= '0' && c <= '9'; })))
    return Err(aws::Error(errors::kInvalidParameterException, "Invalid phone number format."));
  return {};
}

}  // namespace

std::vector<model::AttributeType> shown_attributes(const User& user) {
  std::vector<model::AttributeType> out;
  for (const auto& [name, value] : user.attributes) out.push_back({.name = name, .value = value});
  out.push_back({.name = "sub", .value = user.subject});
  return out;
}

model::UserType shown(const User& user) {
  return {.username = user.name, .attributes = shown_attributes(user), .user_create_date = user.created, .user_last_modified_date = user.modified, .enabled = user.enabled,
          .user_status = std::string(name_of(user.status))};
}

wire::Json attributes_json(const User& user) {
  wire::Json out = wire::Json::object({{"sub", user.subject}, {"cognito:user_status", std::string(name_of(user.status))}});
  for (const auto& [name, value] : user.attributes) out.set(name, value);
  return out;
}

Reply<TextPairs> read_attributes(const Pool& pool, const std::optional<std::vector<model::AttributeType>>& attributes, const User* old, const Client* client) {
  TextPairs out;
  if (!attributes) return out;
  for (const auto& attribute : *attributes) {
    const std::string& name = attribute.name;
    const std::string value = attribute.value.value_or("");
    const bool is_flag = name == "email_verified" || name == "phone_number_verified";
    // Users cannot say themselves that an address is theirs, nor whoever signs up choose their subject.
    if (name == "sub" || (client && is_flag)) return Err(aws::Error(errors::kNotAuthorizedException, "A client attempted to write unauthorized attribute"));
    const model::SchemaAttributeType* const schema = schema_of(pool, name);
    if (!schema) return Err(schema_error(name, "Attribute does not exist in the schema."));
    if (client && client->write_attributes && !client->write_attributes->empty() && std::find(client->write_attributes->begin(), client->write_attributes->end(), name) == client->write_attributes->end())
      return Err(aws::Error(errors::kNotAuthorizedException, "A client attempted to write unauthorized attribute"));
    TRY(check_value(*schema, name, value));
    if (old && !schema->mutable_.value_or(true) && old->attribute(name) != value && !old->attribute(name).empty())
      return Err(aws::Error(errors::kInvalidParameterException, fmt::format("user.{}: Attribute cannot be updated.", name)));
    if (!out.emplace(name, value).second) return Err(aws::Error(errors::kInvalidParameterException, fmt::format("Attribute {} is given twice.", name)));
  }
  return out;
}

Reply<void> check_required(const Pool& pool, const TextPairs& attributes) {
  if (!pool.value.schema_attributes) return {};
  for (const auto& schema : *pool.value.schema_attributes) {
    if (!schema.required.value_or(false) || schema.name == "sub") continue;
    const auto found = attributes.find(schema.name.value_or(""));
    if (found == attributes.end() || found->second.empty()) return Err(schema_error(schema.name.value_or(""), "The attribute is required"));
  }
  return {};
}

Reply<User> new_user(const Pool& pool, const std::string& sign_in_name, TextPairs attributes, Time now) {
  User out{.name = sign_in_name, .subject = make_uuid(thread_random()), .created = now, .modified = now};
  const bool is_email = sign_in_name.find('@') != std::string::npos, is_phone = sign_in_name.starts_with('+');
  if (pool.value.username_attributes && !pool.value.username_attributes->empty()) {
    const std::string attribute = is_email ? "email" : "phone_number";
    if (!(is_email || is_phone) || !pool.is_username_attribute(attribute))
      return Err(aws::Error(errors::kInvalidParameterException, pool.is_username_attribute("email") ? (pool.is_username_attribute("phone_number") ? "Username should be either an email or a phone number." : "Username should be an email.")
                                                                                                   : "Username should be a phone number."));
    if (const auto given = attributes.find(attribute); given != attributes.end() && given->second != sign_in_name)
      return Err(aws::Error(errors::kInvalidParameterException, fmt::format("User attributes do not match the username: {}", attribute)));
    attributes[attribute] = sign_in_name;
    TRY(read_attributes(pool, std::vector<model::AttributeType>{{.name = attribute, .value = sign_in_name}}, nullptr, nullptr));
    out.name = out.subject;
  } else if (pool.value.alias_attributes) {
    const auto& aliases = *pool.value.alias_attributes;
    if (is_email && std::find(aliases.begin(), aliases.end(), "email") != aliases.end())
      return Err(aws::Error(errors::kInvalidParameterException, "Username cannot be of email format, since user pool is configured for email alias."));
    if (is_phone && std::find(aliases.begin(), aliases.end(), "phone_number") != aliases.end())
      return Err(aws::Error(errors::kInvalidParameterException, "Username cannot be of phone number format, since user pool is configured for phone number alias."));
  }
  TRY(check_required(pool, attributes));
  out.attributes = std::move(attributes);
  return out;
}

Reply<void> check_free(Pool& pool, const User& user, bool by_admin) {
  constexpr std::size_t kUsersMax = 100'000;
  if (pool.users.users().size() >= kUsersMax) return Err(aws::Error(errors::kLimitExceededException, "The limit of users of a pool is exceeded."));
  if (pool.users.find(user.name)) return Err(aws::Error(errors::kUsernameExistsException, by_admin ? "User account already exists" : "User already exists"));
  for (const std::string_view attribute : {"email", "phone_number"})
    if (pool.is_username_attribute(attribute) && !user.attribute(attribute).empty() && pool.users.alias_holder(attribute, user.attribute(attribute), nullptr))
      return Err(aws::Error(errors::kUsernameExistsException, by_admin ? "User account already exists" : attribute == "email" ? "An account with the given email already exists." : "An account with the given phone_number already exists."));
  return {};
}

}  // namespace reef::service::cognito
