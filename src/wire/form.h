// application/x-www-form-urlencoded text: query strings and the bodies of the query protocols, whose dotted names
// ("Attribute.1.Name") are paths. Decoded once into one buffer; lookups are binary searches, so a request of n fields
// costs n log n however deep its lists are.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace reef::wire {

struct FormField {
  std::string_view key, value;  // decoded
  bool has_value = false;       // "key=" or "key=value", as opposed to a bare "key"
};

class Form {
 public:
  explicit Form(std::string_view encoded);
  Form(const Form&) = delete;
  Form& operator=(const Form&) = delete;

  // As sent.
  const std::vector<FormField>& fields() const { return fields_; }
  // The first field of exactly that key, or nullptr.
  const FormField* find(std::string_view key) const;
  std::string_view value(std::string_view key) const {
    const FormField* field = find(key);
    return field ? field->value : std::string_view{};
  }
  // Every field whose key starts with `prefix`, ordered by key.
  std::span<const FormField> under(std::string_view prefix) const;
  // Whether a field is `path` itself or below it ("path.…").
  bool contains(std::string_view path) const;
  // The numbers N of "prefixN" and "prefixN.…", ascending, each once; `prefix` ends with a dot. At most `count_max`.
  std::vector<std::uint32_t> indices(std::string_view prefix, std::size_t count_max = 100'000) const;

 private:
  std::string text_;
  std::vector<FormField> fields_;
  std::vector<FormField> sorted_;
};

}  // namespace reef::wire
