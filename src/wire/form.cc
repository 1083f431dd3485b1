#include "wire/form.h"

#include <algorithm>

#include "base/text.h"

namespace reef::wire {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Appends the decoded text; it is never longer than the encoded one, so views into `out` stay valid when its capacity
// was reserved.
std::string_view decode(std::string_view encoded, std::string& out) {
  const std::size_t from = out.size();
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    const char c = encoded[i];
    if (c == '+') {
      out += ' ';
    } else if (c == '%' && i + 2 < encoded.size() && hex_value(encoded[i + 1]) >= 0 && hex_value(encoded[i + 2]) >= 0) {
      out += static_cast<char>(hex_value(encoded[i + 1]) << 4 | hex_value(encoded[i + 2]));
      i += 2;
    } else {
      out += c;
    }
  }
  return std::string_view(out).substr(from);
}

}  // namespace

Form::Form(std::string_view encoded) {
  text_.reserve(encoded.size());
  while (!encoded.empty()) {
    const std::size_t end = encoded.find('&');
    const std::string_view part = encoded.substr(0, end);
    encoded = end == std::string_view::npos ? std::string_view{} : encoded.substr(end + 1);
    if (part.empty()) continue;
    const std::size_t equals = part.find('=');
    FormField field;
    field.key = decode(part.substr(0, equals), text_);
    field.has_value = equals != std::string_view::npos;
    if (field.has_value) field.value = decode(part.substr(equals + 1), text_);
    fields_.push_back(field);
  }
  sorted_ = fields_;
  std::stable_sort(sorted_.begin(), sorted_.end(), [](const FormField& a, const FormField& b) { return a.key < b.key; });
}

const FormField* Form::find(std::string_view key) const {
  const auto found = std::lower_bound(sorted_.begin(), sorted_.end(), key,
                                      [](const FormField& field, std::string_view k) { return field.key < k; });
  return found != sorted_.end() && found->key == key ? &*found : nullptr;
}

std::span<const FormField> Form::under(std::string_view prefix) const {
  const auto from = std::lower_bound(sorted_.begin(), sorted_.end(), prefix,
                                     [](const FormField& field, std::string_view k) { return field.key < k; });
  const auto to = std::partition_point(from, sorted_.end(),
                                       [&](const FormField& field) { return field.key.starts_with(prefix); });
  return {sorted_.data() + (from - sorted_.begin()), static_cast<std::size_t>(to - from)};
}

bool Form::contains(std::string_view path) const {
  if (find(path)) return true;
  std::string below(path);
  below += '.';
  return !under(below).empty();
}

std::vector<std::uint32_t> Form::indices(std::string_view prefix, std::size_t count_max) const {
  std::vector<std::uint32_t> out;
  for (const FormField& field : under(prefix)) {
    std::string_view rest = field.key.substr(prefix.size());
    rest = rest.substr(0, rest.find('.'));
    const auto index = parse_int<std::uint32_t>(rest);
    if (!index || (!out.empty() && out.back() == *index)) continue;
    if (out.size() == count_max) break;
    out.push_back(*index);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace reef::wire
