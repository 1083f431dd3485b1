// Names of images: "host/team/orders:v1", "orders@sha256:...". Names that mean this machine's own registry lose their
// host, so that what was imported as "orders:v1" is found when a template asks its ECR repository for it.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace reef::image {

struct Reference {
  std::string repository;  // "orders", "team/orders", "ghcr.io/team/orders"
  std::string tag;         // empty when only a digest is given
  std::string digest;      // "sha256:<64 hex>" or empty
  std::string text() const { return repository + (digest.empty() ? ":" + tag : "@" + digest); }
  friend bool operator==(const Reference&, const Reference&) = default;
};

// Nothing for what is no name of an image. Without tag and digest, the tag is "latest".
std::optional<Reference> parse_reference(std::string_view text);
bool is_digest(std::string_view text);
bool is_tag(std::string_view text);
// Lower-case path of components: what a repository may be called.
bool is_repository(std::string_view text);

}  // namespace reef::image
