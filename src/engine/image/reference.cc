#include "engine/image/reference.h"

#include <algorithm>

#include "base/text.h"

namespace reef::image {
namespace {

bool is_lower_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

bool is_host(std::string_view part) {
  if (part.empty() || !(is_lower_alnum(part[0]) || (part[0] >= 'A' && part[0] <= 'Z'))) return false;
  return part.find('.') != std::string_view::npos || part.find(':') != std::string_view::npos || part == "localhost";
}

// Hosts whose images are kept here under their plain names.
bool is_ours(std::string_view host) {
  host = host.substr(0, host.find(':'));
  return host.find(".dkr.ecr.") != std::string_view::npos || host == "localhost" || host.ends_with(".localhost") || host.starts_with("127.") ||
         host.ends_with("localhost.localstack.cloud") || host == "docker.io" || host == "index.docker.io";
}

}  // namespace

bool is_digest(std::string_view text) {
  return text.size() == 71 && text.starts_with("sha256:") &&
         std::all_of(text.begin() + 7, text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_tag(std::string_view text) {
  const auto word = [](char c) { return is_lower_alnum(c) || (c >= 'A' && c <= 'Z') || c == '_'; };
  return !text.empty() && text.size() <= 128 && word(text[0]) &&
         std::all_of(text.begin(), text.end(), [&](char c) { return word(c) || c == '.' || c == '-'; });
}

bool is_repository(std::string_view text) {
  if (text.empty() || text.size() > 255) return false;
  for (const std::string_view part : split(text, '/')) {
    if (part.empty() || !is_lower_alnum(part.front()) || !is_lower_alnum(part.back())) return false;
    if (!std::all_of(part.begin(), part.end(), [](char c) { return is_lower_alnum(c) || c == '.' || c == '_' || c == '-' || c == ':'; })) return false;
    if (part.find("..") != std::string_view::npos) return false;
  }
  return true;
}

std::optional<Reference> parse_reference(std::string_view text) {
  Reference out;
  if (const auto at = text.find('@'); at != std::string_view::npos) {
    out.digest = text.substr(at + 1);
    if (!is_digest(out.digest)) return std::nullopt;
    text = text.substr(0, at);
  }
  const auto slash = text.rfind('/');
  const auto colon = text.find(':', slash == std::string_view::npos ? 0 : slash);
  if (colon != std::string_view::npos) {
    out.tag = text.substr(colon + 1);
    if (!is_tag(out.tag)) return std::nullopt;
    text = text.substr(0, colon);
  } else if (out.digest.empty()) {
    out.tag = "latest";
  }
  const auto first = text.find('/');
  if (first != std::string_view::npos && is_host(text.substr(0, first)) && is_ours(text.substr(0, first))) text.remove_prefix(first + 1);
  if (text.starts_with("library/")) text.remove_prefix(8);
  out.repository = text;
  const auto host_end = out.repository.find('/');
  const std::string_view path = host_end != std::string::npos && is_host(std::string_view(out.repository).substr(0, host_end))
                                    ? std::string_view(out.repository).substr(host_end + 1)
                                    : std::string_view(out.repository);
  if (!is_repository(path) || path.find(':') != std::string_view::npos) return std::nullopt;
  return out;
}

}  // namespace reef::image
