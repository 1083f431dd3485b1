// Model values in XML: bodies of restXml, replies of awsQuery and ec2Query.
#pragma once

#include <string_view>

#include "aws/error.h"
#include "aws/protocol/codec.h"
#include "aws/shape.h"
#include "wire/xml.h"

namespace reef::aws {

struct XmlRules {
  bool ec2 = false;            // lists of <item>, ec2 names
  bool body_only = false;      // of the outermost struct, only members whose place is the body
  bool whole_seconds = false;  // S3 keeps no fractions
  bool always_millis = false;  // "…:29.000Z" also for whole seconds, as S3 writes it
};

// The value's content, inside an element that the caller opens.
void write_xml_members(const Shape& shape, const void* value, std::string& out, const XmlRules& rules);
// The value as an element (or several, when flattened).
void write_xml_element(std::string_view name, const Shape& shape, const Member* member, const void* value,
                       std::string& out, const XmlRules& rules);
// The start tag of an element for the value: its namespace and its members that are attributes.
void open_xml_element(std::string_view name, const Shape& shape, const Member* member, const void* value, const char* xmlns,
                      std::string& out);
// Reads the content of the element that was entered last, and leaves it.
Reply<void> read_xml(const Shape& shape, const Member* member, wire::XmlReader& in, void* value, const XmlRules& rules,
                     MissingMembers* missing);

}  // namespace reef::aws
