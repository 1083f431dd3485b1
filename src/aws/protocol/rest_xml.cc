// restXml: S3 and Route 53.
// https://smithy.io/2.0/aws/protocols/aws-restxml-protocol.html
#include <fmt/format.h>

#include "aws/protocol/rest.h"
#include "aws/protocol/scalar.h"
#include "aws/protocol/xml_value.h"
#include "base/encoding.h"

namespace reef::aws::rest_xml {
namespace {

bool is_s3(const ServiceModel& service) { return std::string_view(service.name).starts_with("s3"); }

// https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
Error bad_binding(const Member& member, std::string_view text) {
  const Kind kind = member.shape->kind;
  Error error("InvalidArgument", kind == Kind::kInteger || kind == Kind::kLong
                                     ? fmt::format("Provided {} not an integer or within integer range", member.wire_name)
                                     : fmt::format("Invalid value for {}", member.wire_name), 400);
  error.fields.set("ArgumentName", member.wire_name);
  error.fields.set("ArgumentValue", text);
  return error;
}

Error malformed(std::string message = "The XML you provided was not well-formed or did not validate against our published schema") {
  return {"MalformedXML", std::move(message), 400};
}

Reply<void> read_document(const RequestParts& in, const Shape& shape, const Member* member, void* value,
                          const XmlRules& rules) {
  wire::XmlReader reader(in.body);
  std::string_view root;
  if (!reader.open_root(root)) return Err(malformed());
  TRY(read_xml(shape, member, reader, value, rules, in.missing));
  if (!reader.finish()) return Err(malformed());
  return {};
}

// One member's text is the whole document: <LocationConstraint>eu-west-1</LocationConstraint>.
bool is_unwrapped(const ReplyParts& out) {
  const Shape& shape = *out.operation.output;
  return is_s3(out.service) && shape.member_count == 1 && shape.members[0].shape->kind == Kind::kString &&
         out.operation.result_wrapper && std::string_view(shape.members[0].wire_name) == out.operation.result_wrapper;
}

void open_root(std::string& out, std::string_view name, const char* xmlns) {
  wire::XmlWriter xml(out);
  xml.begin(name);
  if (xmlns) xml.attribute("xmlns", xmlns);
  xml.end_begin();
}

}  // namespace

Reply<void> decode(const RequestParts& in) {
  const Shape& input = *in.operation.input;
  TRY(rest::decode_bindings(in, bad_binding));
  if (const Member* payload = rest::payload_member(input)) {
    const Kind kind = payload->shape->kind;
    if (payload->streaming || payload->shape->event_stream) return {};
    if (in.body.empty()) {
      if (payload->required && in.missing) in.missing->push_back(member_path_name(payload->name));
      return {};
    }
    if (kind == Kind::kBlob || kind == Kind::kString) {
      if (rest::read_raw_payload(*payload, in.body, in.input)) return {};
      return Err(malformed());
    }
    return read_document(in, *payload->shape, payload, make_value(*payload, in.input), {});
  }
  if (!rest::has_body_members(input) || in.body.empty()) return {};
  return read_document(in, input, nullptr, in.input, {.body_only = true});
}

void encode(const ReplyParts& out) {
  if (is_s3(out.service)) out.response.set("x-amz-request-id", out.request_id);
  else out.response.set("x-amzn-RequestId", out.request_id);
  if (rest::encode_bindings(out)) return;
  const Shape& output = *out.operation.output;
  const Member* payload = rest::payload_member(output);
  if (!payload && !rest::has_body_members(output)) return;
  if (out.response.status == 204) return;
  std::string& body = out.response.body;
  out.response.set("Content-Type", is_s3(out.service) ? "application/xml" : "text/xml");
  wire::XmlWriter xml(body);
  xml.declaration();
  const XmlRules rules{.body_only = !payload, .whole_seconds = is_s3(out.service), .always_millis = is_s3(out.service)};
  if (payload) {
    const std::string_view wire_name = payload->wire_name;
    const std::string_view root = payload->shape->xml_name ? std::string_view(payload->shape->xml_name) : wire_name;
    open_xml_element(root, *payload->shape, payload, value_of(*payload, out.output), out.service.xml_namespace, body);
    write_xml_members(*payload->shape, value_of(*payload, out.output), body, rules);
    xml.close(root);
    return;
  }
  const std::string root = out.operation.result_wrapper ? out.operation.result_wrapper
                           : output.xml_name            ? output.xml_name
                                                        : fmt::format("{}Response", out.operation.name);
  open_xml_element(root, output, nullptr, out.output, out.service.xml_namespace, body);
  if (is_unwrapped(out)) {
    if (const void* value = value_of(output.members[0], out.output)) xml.text(as<std::string>(value));
  } else {
    write_xml_members(output, out.output, body, rules);
  }
  xml.close(root);
}

void encode_error(const ErrorParts& out) {
  out.response.set("Content-Type", is_s3(out.service) ? "application/xml" : "text/xml");
  out.response.set(is_s3(out.service) ? "x-amz-request-id" : "x-amzn-RequestId", out.request_id);
  out.response.body.clear();
  rest::encode_error_headers(out);
  // Answers to HEAD and 304 have no body; the server drops it.
  wire::XmlWriter xml(out.response.body);
  if (is_s3(out.service)) {
    xml.declaration();
    xml.open("Error");
    xml.element("Code", out.error.code);
    xml.element("Message", out.error.message);
    for (const auto& [name, value] : out.error.fields.as_object())
      if (const auto text = value.scalar_text()) xml.element(name, *text);
    xml.element("RequestId", out.request_id);
    xml.element("HostId", base64_encode(out.request_id));  // the same as x-amz-id-2
    xml.close("Error");
    return;
  }
  open_root(out.response.body, "ErrorResponse", out.service.xml_namespace);
  xml.open("Error");
  xml.element("Type", out.error.sender_fault ? "Sender" : "Receiver");
  xml.element("Code", out.error.code);
  xml.element("Message", out.error.message);
  for (const auto& [name, value] : out.error.fields.as_object())
    if (const auto text = value.scalar_text()) xml.element(name, *text);
  xml.close("Error");
  xml.element("RequestId", out.request_id);
  xml.close("ErrorResponse");
}

}  // namespace reef::aws::rest_xml
