// How the generated tables reach into C++ values: one set of functions per C++ type, made by the compiler. Included
// by generated .cc files only.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "aws/shape.h"

namespace reef::aws::access {

template <class T>
struct Field {
  static const void* get(const void* field) { return field; }
  static void* make(void* field) { return field; }
};
template <class T>
struct Field<std::optional<T>> {
  static const void* get(const void* field) {
    const auto& value = *static_cast<const std::optional<T>*>(field);
    return value ? &*value : nullptr;
  }
  static void* make(void* field) {
    auto& value = *static_cast<std::optional<T>*>(field);
    return value ? &*value : &value.emplace();
  }
};
template <class T>
struct Field<Boxed<T>> {
  static const void* get(const void* field) {
    const auto& value = *static_cast<const Boxed<T>*>(field);
    return value ? &*value : nullptr;
  }
  static void* make(void* field) {
    auto& value = *static_cast<Boxed<T>*>(field);
    return value ? &*value : &value.emplace();
  }
};
template <class T>
inline constexpr Access kField{Field<T>::get, Field<T>::make};

template <class T>
struct Vector {
  static std::size_t size(const void* list) { return static_cast<const std::vector<T>*>(list)->size(); }
  static const void* at(const void* list, std::size_t index) { return &(*static_cast<const std::vector<T>*>(list))[index]; }
  static void* append(void* list) { return &static_cast<std::vector<T>*>(list)->emplace_back(); }
};
template <class T>
inline constexpr ListAccess kList{Vector<T>::size, Vector<T>::at, Vector<T>::append};

template <class T>
struct Map {
  using Type = std::map<std::string, T, std::less<>>;
  static std::size_t size(const void* map) { return static_cast<const Type*>(map)->size(); }
  static void each(const void* map, void* context, void (*visit)(void*, const std::string&, const void*)) {
    for (const auto& [key, value] : *static_cast<const Type*>(map)) visit(context, key, &value);
  }
  static void* insert(void* map, std::string_view key) {
    Type& values = *static_cast<Type*>(map);
    const auto found = values.lower_bound(key);
    if (found != values.end() && found->first == key) return &found->second;
    return &values.emplace_hint(found, std::string(key), T())->second;
  }
};
template <class T>
inline constexpr MapAccess kMap{Map<T>::size, Map<T>::each, Map<T>::insert};

}  // namespace reef::aws::access
