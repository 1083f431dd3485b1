// Secrets Manager: secrets with their versions and stages, as records of the control shard; rotation by functions.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/caller.h"
#include "aws/models/secretsmanager.h"
#include "aws/service.h"
#include "aws/unmodelled_errors.h"
#include "engine/store/records.h"
#include "engine/store/shard.h"

namespace reef::service::secretsmanager {

namespace model = aws::secretsmanager;
namespace errors = aws::secretsmanager::errors;
template <class T>
using Reply = aws::Reply<T>;
using aws::Call;

inline constexpr std::string_view kCurrent = "AWSCURRENT", kPrevious = "AWSPREVIOUS", kPending = "AWSPENDING";
// Versions without a stage beyond this are forgotten, the oldest first.
inline constexpr std::size_t kVersionsMax = 100;
// https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
inline constexpr std::size_t kValueBytesMax = 65536, kStagesMax = 20, kTagsMax = 50, kPolicyBytesMax = 20480;

struct Version {
  std::string id;
  std::optional<std::string> text, binary;  // neither in one that a rotation has only begun
  Time created{};
  std::optional<Time> accessed;
  std::vector<std::string> stages;

  bool has(std::string_view stage) const;
  bool has_value() const { return text || binary; }
};

struct Secret {
  std::string account, region, name, arn;
  std::string description, kms_key, type, policy;
  Time created{}, changed{};
  std::optional<Time> accessed, rotated;
  std::optional<Time> deleted, gone_at;  // marked for deletion, and when it is gone
  std::map<std::string, std::string, std::less<>> tags;
  std::vector<Version> versions;         // oldest first

  bool rotates = false;
  std::string rotation_function;
  std::optional<model::RotationRulesType> rules;
  std::optional<Time> next_rotation;
  std::string rotating;                  // the version that a rotation works on

  Version* version(std::string_view id);
  Version* staged(std::string_view stage);
  // Takes the stage from whichever version has it.
  void move_stage(std::string_view stage, Version* to);
  // Makes it the current version; the one before becomes the previous.
  void make_current(Version& version);
  void prune();
};

// By name, ARN, or ARN without its random end. What is past its deletion date is not found.
std::optional<Secret> find_secret(const Call& call, std::string_view id);
// The same with AWS's errors: not there, or marked for deletion.
Reply<Secret> need_secret(const Call& call, std::string_view id, bool even_deleted = false);
void save(const Secret& secret);
void erase(const Secret& secret);
// In order of name.
std::vector<Secret> all_secrets(std::string_view account, std::string_view region);
// Of every account and region.
std::vector<Secret> every_secret();

aws::Error not_found();
aws::Error invalid_parameter(std::string message);
aws::Error invalid_request(std::string message);
std::vector<model::Tag> to_tags(const Secret& secret);
std::map<std::string, std::vector<std::string>, std::less<>> versions_to_stages(const Secret& secret);

inline auto committed() { return store::Shard::control().committed(); }

}  // namespace reef::service::secretsmanager
