#include "engine/naming/view.h"

#include <algorithm>

namespace reef::naming {

namespace dns = wire::dns;

void View::index() {
  std::sort(zones.begin(), zones.end(), [](const auto& a, const auto& b) {
    if (a->apex != b->apex) return a->apex < b->apex;
    return a->is_private != b->is_private ? a->is_private : a->id < b->id;
  });
  std::size_t size = 16;
  while (size < zones.size() * 2) size *= 2;
  slots_.assign(size, {});
  mask_ = size - 1;
  for (std::size_t i = 0; i < zones.size();) {
    std::size_t count = 1;
    while (i + count < zones.size() && zones[i + count]->apex == zones[i]->apex) ++count;
    const std::uint64_t hash = hash_name(zones[i]->apex);
    std::size_t at = hash & mask_;
    while (slots_[at].count > 0) at = (at + 1) & mask_;
    slots_[at] = {hash, static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(count)};
    i += count;
  }
}

View::Range View::zones_of(std::string_view name) const {
  if (slots_.empty()) return {};
  for (;; name = dns::parent_of(name)) {
    const std::uint64_t hash = hash_name(name);
    for (std::size_t at = hash & mask_; slots_[at].count > 0; at = (at + 1) & mask_)
      if (slots_[at].hash == hash && zones[slots_[at].first]->apex == name) return {&zones[slots_[at].first], slots_[at].count};
    if (name.size() <= 1) return {};
  }
}

bool is_endpoint_name(std::string_view name) {
  using std::operator""sv;
  static constexpr std::string_view kLocalhost = "\x09localhost\0"sv, kStack = "\x09localhost\x0alocalstack\x05" "cloud\0"sv;
  if (name.size() >= kLocalhost.size() && dns::is_below(name, kLocalhost)) return true;
  if (name.size() >= kStack.size() && dns::is_below(name, kStack)) return true;
  // {id}.<kind>.{region}.<suffix>
  static constexpr std::pair<std::string_view, std::string_view> kForms[] = {
      {"\x0b" "execute-api"sv, "\x09" "amazonaws\x03" "com\0"sv}, {"\x0a" "lambda-url"sv, "\x02on\x03" "aws\0"sv}};
  const std::string_view kind = dns::parent_of(name);
  if (name.size() <= 1) return false;
  for (const auto& [word, suffix] : kForms)
    if (kind.starts_with(word) && dns::parent_of(dns::parent_of(kind)) == suffix) return true;
  return false;
}

}  // namespace reef::naming
