// IAM: users, groups, roles, policies, instance profiles and access keys, stored and returned exactly. Lives on the
// control shard; every entity is a record whose value is its own model struct as JSON. Policies are kept, not yet
// enforced.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "aws/access_keys.h"
#include "aws/models/iam.h"
#include "aws/protocol/codec.h"
#include "aws/service.h"
#include "engine/store/records.h"
#include "engine/store/shard.h"

namespace reef::service::iam {

namespace model = aws::iam;
namespace errors = aws::iam::errors;
template <class T>
using Reply = aws::Reply<T>;
using aws::Call;

// Who can hold policies: the word that is part of keys and of error texts.
enum class Holder { kUser, kGroup, kRole };

struct Iam {
  explicit Iam(Parts& parts);
  void start();
  void reset() {}

  store::Records& records() { return store::Shard::control().records(); }
  auto committed() { return store::Shard::control().committed(); }

  template <class T>
  std::optional<T> load(const std::string& key) {
    const std::string* text = records().find(key);
    if (!text) return std::nullopt;
    auto value = aws::from_json_text<T>(*text);
    if (!value) return std::nullopt;
    return *std::move(value);
  }
  template <class T>
  void save(const std::string& key, const T& value) {
    records().put(key, aws::to_json_text(value));
  }
  template <class T>
  std::vector<T> load_all(const std::string& prefix) {
    std::vector<T> out;
    records().scan(prefix, [&](std::string_view, const std::string& text) {
      if (auto value = aws::from_json_text<T>(text)) out.push_back(*std::move(value));
      return true;
    });
    return out;
  }
  // The last parts of the keys below `prefix`.
  std::vector<std::string> names_below(const std::string& prefix);

  void publish(const std::string& account, const model::AccessKey& key);

  aws::AccessKeys& keys;
};

// --- keys -------------------------------------------------------------------------------------------------------
std::string key_of(const Call& call, std::string_view kind, std::string_view name);
std::string_view word(Holder holder);       // "user"
std::string_view title(Holder holder);      // "User"
std::string holder_key(const Call& call, Holder holder, std::string_view name);
std::string inline_key(const Call& call, Holder holder, std::string_view name, std::string_view policy = {});
std::string attached_key(const Call& call, Holder holder, std::string_view name, std::string_view arn = {});

// --- checks and texts -------------------------------------------------------------------------------------------
aws::Error no_such(std::string_view what, std::string_view name);        // "The role with name x cannot be found."
aws::Error exists_already(std::string_view what, std::string_view name); // "Role with name x already exists."
// What users, groups and roles may do; who may assume a role. Malformed ones are refused.
aws::Reply<void> check_identity_document(std::string_view document);
aws::Reply<void> check_trust_document(std::string_view document);
aws::Reply<void> check_holder(Iam& iam, const Call& call, Holder holder, std::string_view name);
// "AROA" + 17 characters.
std::string make_id(std::string_view prefix);
// "arn:aws:iam::<account>:role/path/name"
std::string make_arn(const Call& call, std::string_view kind, std::string_view path, std::string_view name);
// Documents travel percent-encoded in replies.
std::string encode_document(std::string_view document);

// Merges `tags` into `existing`; the other removes by key.
void merge_tags(std::optional<std::vector<model::Tag>>& existing, const std::vector<model::Tag>& tags);
void remove_tags(std::optional<std::vector<model::Tag>>& existing, const std::vector<std::string>& keys);

// Cuts a sorted list to the page that Marker and MaxItems ask for. The marker is the index that follows.
template <class In, class T, class Out>
aws::Reply<void> paginate(const In& in, std::vector<T> all, std::vector<T>& page, Out& out) {
  std::size_t from = 0;
  if (in.marker) {
    const auto at = parse_int<std::size_t>(*in.marker);
    if (!at || *at > all.size()) return Err(aws::Error("ValidationError", "Invalid Marker.", 400));
    from = *at;
  }
  const std::size_t count = in.max_items ? static_cast<std::size_t>(*in.max_items) : 100;
  const std::size_t to = std::min(all.size(), from + count);
  page.assign(std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(from)), std::make_move_iterator(all.begin() + static_cast<std::ptrdiff_t>(to)));
  out.is_truncated = to < all.size();
  if (to < all.size()) out.marker = std::to_string(to);
  return {};
}

// Policies that AWS manages are known by name: any arn:aws:iam::aws:policy/... can be attached.
bool is_managed_by_aws(std::string_view arn);

}  // namespace reef::service::iam
