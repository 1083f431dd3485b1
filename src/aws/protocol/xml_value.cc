#include "aws/protocol/xml_value.h"

#include <fmt/format.h>

#include "aws/protocol/scalar.h"

namespace reef::aws {
namespace {

using wire::XmlReader;
using wire::XmlWriter;

bool is_flattened(const Member* member, const Shape& shape) { return shape.flattened || (member && member->xml_flattened); }

const char* element_name(const Shape& list, const XmlRules& rules) {
  return list.element_name ? list.element_name : rules.ec2 ? "item" : "member";
}

void write_scalar(std::string_view name, const Shape& shape, const Member* member, const void* value, std::string& out,
                  const XmlRules& rules) {
  XmlWriter xml(out);
  if (shape.kind == Kind::kString) return xml.element(name, as<std::string>(value));
  xml.open(name);
  if (shape.kind == Kind::kTimestamp && rules.always_millis &&
      timestamp_format(member, shape, TimestampFormat::kIso8601) == TimestampFormat::kIso8601)
    out += format_iso8601(rules.whole_seconds ? std::chrono::floor<std::chrono::seconds>(as<Time>(value)) : as<Time>(value), true);
  else
    append_scalar(out, shape, timestamp_format(member, shape, TimestampFormat::kIso8601), value);
  xml.close(name);
}

struct MapVisit {
  std::string_view name;  // element around each entry
  const Shape& shape;
  std::string& out;
  const XmlRules& rules;
};

void write_map_entries(std::string_view name, const Shape& shape, const void* value, std::string& out,
                       const XmlRules& rules) {
  MapVisit visit{name, shape, out, rules};
  shape.map.each(value, &visit, [](void* context, const std::string& key, const void* entry) {
    auto& [around, map, text, how] = *static_cast<MapVisit*>(context);
    XmlWriter xml(text);
    xml.open(around);
    xml.element(map.key_name ? map.key_name : "key", key);
    write_xml_element(map.element_name ? map.element_name : "value", *map.element, nullptr, entry, text, how);
    xml.close(around);
  });
}

void open_with_attributes(std::string_view name, const Shape& shape, const Member* member, const void* value,
                          std::string& out, const char* xmlns = nullptr) {
  XmlWriter xml(out);
  xml.begin(name);
  if (const char* uri = member && member->xml_namespace ? member->xml_namespace : shape.xml_namespace ? shape.xml_namespace : xmlns) {
    // "xsi" is the one prefix that AWS's models declare (S3's Grantee).
    const bool is_instance = std::string_view(uri) == "http://www.w3.org/2001/XMLSchema-instance";
    xml.attribute(is_instance ? "xmlns:xsi" : "xmlns", uri);
  }
  if (shape.kind == Kind::kStructure) {
    for (std::uint32_t i = 0; i < shape.member_count; ++i) {
      const Member& attribute = shape.members[i];
      if (!attribute.xml_attribute) continue;
      if (const void* field = value_of(attribute, value)) {
        std::string text;
        append_scalar(text, *attribute.shape, TimestampFormat::kIso8601, field);
        xml.attribute(attribute.wire_name, text);
      }
    }
  }
  xml.end_begin();
}

class Reader {
 public:
  Reader(XmlReader& in, const XmlRules& rules, MissingMembers* missing) : in_(in), rules_(rules), missing_(missing) {}

  Reply<void> run(const Shape& shape, const Member* member, void* value) {
    if (read(shape, member, value, rules_.body_only)) return {};
    return Err(Error("MalformedXML",
                     "The XML you provided was not well-formed or did not validate against our published schema", 400));
  }

 private:
  bool read(const Shape& shape, const Member* member, void* value, bool body_only) {
    if (++depth_ > 100) return false;
    bool done = false;
    switch (shape.kind) {
      case Kind::kStructure:
      case Kind::kUnion: done = read_structure(shape, value, body_only); break;
      case Kind::kList: {
        std::string_view name;
        std::size_t index = 0;
        while (in_.next_child(name)) {
          const std::size_t before = missing_ ? missing_->size() : 0;
          if (name != element_name(shape, rules_)) {
            if (!in_.skip()) return false;
            continue;
          }
          if (!read(*shape.element, nullptr, shape.list.append(value), false)) return false;
          add_prefix(before, fmt::format("{}.member", ++index));
        }
        done = in_.ok();
        break;
      }
      case Kind::kMap: {
        std::string_view name;
        while (in_.next_child(name))
          if (name != "entry" ? !in_.skip() : !read_entry(shape, value)) return false;
        done = in_.ok();
        break;
      }
      case Kind::kDocument:
      case Kind::kNative: return false;
      default: {
        std::string text;
        done = in_.read_text(text) &&
               (text.empty() && shape.kind != Kind::kString && shape.kind != Kind::kBlob
                    ? true
                    : scalar_from_text(shape, timestamp_format(member, shape, TimestampFormat::kIso8601), text, value));
      }
    }
    --depth_;
    return done;
  }

  bool read_entry(const Shape& shape, void* map) {
    std::string_view name;
    std::string key;
    void* value = nullptr;
    while (in_.next_child(name)) {
      if (name == (shape.key_name ? shape.key_name : "key")) {
        if (!in_.read_text(key)) return false;
        value = shape.map.insert(map, key);
      } else if (value && name == (shape.element_name ? shape.element_name : "value")) {
        if (!read(*shape.element, nullptr, value, false)) return false;
      } else if (!in_.skip()) {
        return false;
      }
    }
    return in_.ok();
  }

  bool read_structure(const Shape& shape, void* value, bool body_only) {
    std::uint64_t seen[4] = {};
    const auto mark = [&](const Member& member) {
      const auto i = static_cast<std::uint32_t>(&member - shape.members);
      seen[i / 64 % 4] |= 1ull << i % 64;
    };
    for (std::uint32_t i = 0; i < shape.member_count; ++i) {
      const Member& member = shape.members[i];
      if (!member.xml_attribute) continue;
      if (const auto text = in_.attribute(member.wire_name)) {
        mark(member);
        if (!scalar_from_text(*member.shape, TimestampFormat::kIso8601, *text, make_value(member, value))) return false;
      }
    }
    std::string_view name;
    while (in_.next_child(name)) {
      const Member* found = nullptr;
      for (std::uint32_t i = 0; i < shape.member_count && !found; ++i) {
        const Member& member = shape.members[i];
        if (!member.xml_attribute && (!body_only || member.location == Location::kBody) && name == local(member.wire_name))
          found = &member;
      }
      if (!found) {
        if (!in_.skip()) return false;
        continue;
      }
      mark(*found);
      void* field = make_value(*found, value);
      const std::size_t before = missing_ ? missing_->size() : 0;
      const Shape& inner = *found->shape;
      if (inner.kind == Kind::kList && is_flattened(found, inner)) {
        if (!read(*inner.element, nullptr, inner.list.append(field), false)) return false;
        add_prefix(before, fmt::format("{}.{}.member", member_path_name(found->name), inner.list.size(field)));
      } else if (inner.kind == Kind::kMap && is_flattened(found, inner)) {
        if (!read_entry(inner, field)) return false;
      } else {
        if (!read(inner, found, field, false)) return false;
        add_prefix(before, member_path_name(found->name));
      }
    }
    if (missing_) {
      for (std::uint32_t i = 0; i < shape.member_count; ++i) {
        const Member& member = shape.members[i];
        if (member.required && !(seen[i / 64 % 4] >> i % 64 & 1) && (!body_only || member.location == Location::kBody))
          missing_->push_back(member_path_name(member.name));
      }
    }
    return in_.ok();
  }

  static std::string_view local(std::string_view name) {
    const std::size_t colon = name.rfind(':');
    return colon == std::string_view::npos ? name : name.substr(colon + 1);
  }
  void add_prefix(std::size_t from, std::string_view prefix) {
    if (!missing_) return;
    for (std::size_t i = from; i < missing_->size(); ++i) (*missing_)[i] = fmt::format("{}.{}", prefix, (*missing_)[i]);
  }

  XmlReader& in_;
  const XmlRules& rules_;
  MissingMembers* missing_;
  int depth_ = 0;
};

}  // namespace

void write_xml_element(std::string_view name, const Shape& shape, const Member* member, const void* value,
                       std::string& out, const XmlRules& rules) {
  XmlWriter xml(out);
  switch (shape.kind) {
    case Kind::kStructure:
    case Kind::kUnion: {
      XmlRules inner = rules;
      inner.body_only = false;
      open_with_attributes(name, shape, member, value, out);
      write_xml_members(shape, value, out, inner);
      xml.close(name);
      break;
    }
    case Kind::kList: {
      const bool flat = is_flattened(member, shape);
      const std::string_view each = flat ? name : element_name(shape, rules);
      if (!flat) open_with_attributes(name, shape, member, value, out);
      const std::size_t size = shape.list.size(value);
      for (std::size_t i = 0; i < size; ++i) write_xml_element(each, *shape.element, nullptr, shape.list.at(value, i), out, rules);
      if (!flat) xml.close(name);
      break;
    }
    case Kind::kMap:
      if (is_flattened(member, shape)) {
        write_map_entries(name, shape, value, out, rules);
      } else {
        open_with_attributes(name, shape, member, value, out);
        write_map_entries("entry", shape, value, out, rules);
        xml.close(name);
      }
      break;
    case Kind::kDocument:
    case Kind::kNative: break;  // no XML protocol has them
    default:
      if (member && member->xml_namespace) {
        std::string text;
        append_scalar(text, shape, timestamp_format(member, shape, TimestampFormat::kIso8601), value);
        open_with_attributes(name, shape, member, value, out);
        xml.text(text);
        xml.close(name);
      } else {
        write_scalar(name, shape, member, value, out, rules);
      }
  }
}

void open_xml_element(std::string_view name, const Shape& shape, const Member* member, const void* value, const char* xmlns,
                      std::string& out) {
  open_with_attributes(name, shape, member, value, out, xmlns);
}

void write_xml_members(const Shape& shape, const void* value, std::string& out, const XmlRules& rules) {
  for (std::uint32_t i = 0; i < shape.member_count; ++i) {
    const Member& member = shape.members[i];
    if (member.xml_attribute || (rules.body_only && member.location != Location::kBody)) continue;
    XmlRules inner = rules;
    inner.body_only = false;
    if (const void* field = value_of(member, value))
      write_xml_element(member.wire_name, *member.shape, &member, field, out, inner);
  }
}

Reply<void> read_xml(const Shape& shape, const Member* member, wire::XmlReader& in, void* value, const XmlRules& rules,
                     MissingMembers* missing) {
  return Reader(in, rules, missing).run(shape, member, value);
}

}  // namespace reef::aws
