#include "service/s3/acl.h"

#include "base/text.h"
#include "service/s3/errors.h"
#include "service/s3/object_headers.h"
#include "service/s3/stored_configuration.h"

namespace reef::s3 {
namespace {

constexpr const char* kAllUsers = "http://acs.amazonaws.com/groups/global/AllUsers";
constexpr const char* kAuthenticatedUsers = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
constexpr const char* kLogDelivery = "http://acs.amazonaws.com/groups/s3/LogDelivery";

struct CannedGrant {
  std::string_view acl;
  const char* group;
  const char* permission;
};
constexpr CannedGrant kCannedGrants[] = {{"public-read", kAllUsers, "READ"},
                                         {"public-read-write", kAllUsers, "READ"},
                                         {"public-read-write", kAllUsers, "WRITE"},
                                         {"authenticated-read", kAuthenticatedUsers, "READ"},
                                         {"log-delivery-write", kLogDelivery, "WRITE"},
                                         {"log-delivery-write", kLogDelivery, "READ_ACP"}};
constexpr std::string_view kCannedNames[] = {"private", "public-read", "public-read-write", "authenticated-read",
                                             "aws-exec-read", "bucket-owner-read", "bucket-owner-full-control",
                                             "log-delivery-write"};

}  // namespace

model::AccessControlPolicy acl_policy(const std::string* stored, std::string_view account) {
  model::AccessControlPolicy policy;
  if (stored && stored->starts_with('{')) {
    wire::JsonReader reader(*stored);
    aws::MissingMembers missing;
    if (aws::read_json(shape_of(static_cast<const model::AccessControlPolicy*>(nullptr)), reader, &policy, {}, &missing)) {
      if (!policy.owner) policy.owner = owner_of(account);
      return policy;
    }
  }
  policy.owner = owner_of(account);
  policy.grants.emplace();
  policy.grants->push_back({.grantee = model::Grantee{.id = canonical_id(account), .type = "CanonicalUser"}, .permission = "FULL_CONTROL"});
  if (!stored) return policy;
  const auto name = wire::Json::parse(*stored);
  for (const CannedGrant& grant : kCannedGrants)
    if (name && name->as_string() == grant.acl)
      policy.grants->push_back({.grantee = model::Grantee{.type = "Group", .uri = grant.group}, .permission = grant.permission});
  return policy;
}

Reply<std::string> canned_acl_text(const std::string& name) {
  for (const std::string_view known : kCannedNames)
    if (known == name) return wire::Json(name).dump();
  return Err(invalid_argument("", "x-amz-acl", name));
}

std::string policy_acl_text(const model::AccessControlPolicy& policy) { return configuration_text(policy); }

// x-amz-grant-read: id="...", uri="..."
Reply<std::string> granted_acl_text(
    std::initializer_list<std::pair<const char*, const std::optional<std::string>*>> headers) {
  model::AccessControlPolicy policy;
  policy.grants.emplace();
  for (const auto& [permission, header] : headers) {
    if (!*header) continue;
    for (const std::string_view one : split(**header, ',')) {
      const auto equals = one.find('=');
      const std::string_view kind = trim(one.substr(0, equals));
      if (equals == std::string_view::npos) return Err(invalid_argument("Argument format not recognized", "grant", one));
      const std::string value(unquoted(trim(one.substr(equals + 1))));
      model::Grantee grantee;
      if (kind == "id") {
        grantee.type = "CanonicalUser";
        grantee.id = value;
      } else if (kind == "uri") {
        grantee.type = "Group";
        grantee.uri = value;
      } else if (kind == "emailAddress") {
        grantee.type = "AmazonCustomerByEmail";
        grantee.email_address = value;
      } else {
        return Err(invalid_argument("Argument format not recognized", "grant", one));
      }
      policy.grants->push_back({.grantee = std::move(grantee), .permission = permission});
    }
  }
  if (policy.grants->empty())
    return Err(aws::Error("MissingSecurityHeader", "Your request was missing a required header", 400));
  return policy_acl_text(policy);
}

}  // namespace reef::s3
