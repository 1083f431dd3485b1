// rpcv2Cbor: POST /service/{service}/operation/{operation} with CBOR bodies.
// https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
#include <fmt/format.h>

#include "aws/protocol/json_value.h"
#include "aws/protocol/protocols.h"
#include "aws/protocol/scalar.h"
#include "wire/cbor.h"

namespace reef::aws::rpc_cbor {
namespace {

void write(const Shape& shape, const void* value, wire::CborWriter& out) {
  switch (shape.kind) {
    case Kind::kStructure:
    case Kind::kUnion:
      out.begin_map();
      for (std::uint32_t i = 0; i < shape.member_count; ++i) {
        const void* field = value_of(shape.members[i], value);
        if (!field) continue;
        out.text(shape.members[i].name);
        write(*shape.members[i].shape, field, out);
      }
      out.end();
      break;
    case Kind::kList:
      out.begin_array();
      for (std::size_t i = 0; i < shape.list.size(value); ++i) write(*shape.element, shape.list.at(value, i), out);
      out.end();
      break;
    case Kind::kMap: {
      struct Visit {
        const Shape& element;
        wire::CborWriter& out;
      } visit{*shape.element, out};
      out.begin_map();
      shape.map.each(value, &visit, [](void* context, const std::string& key, const void* entry) {
        static_cast<Visit*>(context)->out.text(key);
        write(static_cast<Visit*>(context)->element, entry, static_cast<Visit*>(context)->out);
      });
      out.end();
      break;
    }
    case Kind::kString: out.text(as<std::string>(value)); break;
    case Kind::kBlob: out.bytes(as<std::string>(value)); break;
    case Kind::kInteger: out.integer(as<std::int32_t>(value)); break;
    case Kind::kLong: out.integer(as<std::int64_t>(value)); break;
    case Kind::kDouble: out.number(as<double>(value)); break;
    case Kind::kBoolean: out.boolean(as<bool>(value)); break;
    case Kind::kTimestamp: out.epoch(static_cast<double>(to_micros(as<Time>(value))) / 1e6); break;
    case Kind::kDocument:
    case Kind::kNative: out.null(); break;  // no service that speaks CBOR has them
  }
}

void set_headers(http::Response& response, std::string_view request_id) {
  response.set("smithy-protocol", "rpc-v2-cbor");
  response.set("Content-Type", "application/cbor");
  response.set("x-amzn-RequestId", request_id);
}

void write_json(const wire::Json& value, wire::CborWriter& out) {
  switch (value.kind()) {
    case wire::JsonKind::kNull:
    case wire::JsonKind::kInvalid: return out.null();
    case wire::JsonKind::kBool: return out.boolean(value.as_bool());
    case wire::JsonKind::kNumber:
      return value.number_text().find_first_of(".eE") == std::string::npos && value.as_int()
                 ? out.integer(*value.as_int()) : out.number(value.as_double().value_or(0));
    case wire::JsonKind::kString: return out.text(value.as_string());
    case wire::JsonKind::kArray:
      out.begin_array();
      for (const wire::Json& element : value.as_array()) write_json(element, out);
      return out.end();
    case wire::JsonKind::kObject:
      out.begin_map();
      for (const auto& [name, member] : value.as_object()) out.text(name), write_json(member, out);
      return out.end();
  }
}

}  // namespace

Reply<void> decode(const RequestParts& in) {
  if (in.body.empty()) return from_json_text(*in.operation.input, "{}", in.input, UnknownMembers::kIgnore, in.missing);
  const auto tree = wire::cbor_to_json(in.body);
  if (!tree) return Err(serialization_error(fmt::format("{} (offset {})", tree.error().message, tree.error().offset)));
  return from_json(*in.operation.input, *tree, in.input, UnknownMembers::kIgnore, in.missing);
}

void encode(const ReplyParts& out) {
  set_headers(out.response, out.request_id);
  wire::CborWriter writer(out.response.body);
  write(*out.operation.output, out.output, writer);
}

void encode_error(const ErrorParts& out) {
  set_headers(out.response, out.request_id);
  if (out.service.query_compatible)
    out.response.set("x-amzn-query-error", fmt::format("{};{}", query_code(out), out.error.sender_fault ? "Sender" : "Receiver"));
  out.response.body.clear();
  wire::CborWriter writer(out.response.body);
  writer.begin_map();
  writer.text("__type");
  writer.text(out.error.code);
  writer.text("message");
  writer.text(out.error.message);
  for (const auto& [name, value] : out.error.fields.as_object()) {
    writer.text(name);
    write_json(value, writer);
  }
  writer.end();
}

}  // namespace reef::aws::rpc_cbor
