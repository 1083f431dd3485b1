// awsQuery and ec2Query: form parameters in, XML out.
// https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
#include <fmt/format.h>

#include "aws/protocol/protocols.h"
#include "aws/protocol/scalar.h"
#include "aws/protocol/xml_value.h"
#include "base/text.h"
#include "wire/form.h"

namespace reef::aws {
namespace {

// Walks the input's tables and asks the form for each path, in one growing and shrinking text.
class FormReader {
 public:
  FormReader(const wire::Form& form, bool ec2, MissingMembers* missing) : form_(form), ec2_(ec2), missing_(missing) {}

  Reply<void> run(const Shape& input, void* value) {
    if (read_structure(input, value)) return {};
    return Err(Error("MalformedInput", fmt::format("Unable to parse the value of parameter {}.", is_valid_utf8(bad_path_) ? bad_path_ : std::string("(not UTF-8)")), 400));
  }

 private:
  // True when the path itself or anything below it was sent.
  bool is_present() {
    if (form_.find(path_)) return true;
    path_ += '.';
    const bool below = !form_.under(path_).empty();
    path_.pop_back();
    return below;
  }

  std::string_view name_of(const Member& member) const {
    if (ec2_) return member.query_name ? member.query_name : member.wire_name;
    return member.wire_name;
  }

  bool read(const Shape& shape, const Member* member, void* value) {
    if (++depth_ > 64) return bad();
    bool done = false;
    switch (shape.kind) {
      case Kind::kStructure:
      case Kind::kUnion: done = read_structure(shape, value); break;
      case Kind::kList: done = read_list(shape, member, value); break;
      case Kind::kMap: done = read_map(shape, member, value); break;
      case Kind::kDocument:
      case Kind::kNative: return bad();
      default: {
        const wire::FormField* field = form_.find(path_);
        if (!field) return bad();
        done = (field->value.empty() && shape.kind != Kind::kString && shape.kind != Kind::kBlob) ||
               scalar_from_text(shape, timestamp_format(member, shape, TimestampFormat::kIso8601), field->value, value) ||
               bad();
      }
    }
    --depth_;
    return done;
  }

  bool read_structure(const Shape& shape, void* value) {
    for (std::uint32_t i = 0; i < shape.member_count; ++i) {
      const Member& member = shape.members[i];
      const std::size_t size = path_.size();
      if (size != 0) path_ += '.';
      const std::size_t from = path_.size();
      path_ += name_of(member);
      if (ec2_ && !member.query_name && path_.size() > from && path_[from] >= 'a' && path_[from] <= 'z') path_[from] -= 32;
      if (is_present()) {
        const std::size_t before = missing_ ? missing_->size() : 0;
        if (!read(*member.shape, &member, make_value(member, value))) return false;
        add_prefix(before, member_path_name(member.name));
      } else if (member.required && missing_) {
        missing_->push_back(member_path_name(member.name));
      }
      path_.resize(size);
    }
    return true;
  }

  bool read_list(const Shape& shape, const Member* member, void* value) {
    const std::size_t size = path_.size();
    path_ += '.';
    if (!ec2_ && !shape.flattened && !(member && member->xml_flattened)) {
      path_ += shape.element_name ? shape.element_name : "member";
      path_ += '.';
      if (shape.element_name && form_.under(path_).empty()) {
        path_.resize(size);
        path_ += ".member.";
      }
    }
    const std::size_t prefix = path_.size();
    std::size_t position = 0;
    for (const std::uint32_t index : form_.indices(path_)) {
      path_ += std::to_string(index);
      const std::size_t before = missing_ ? missing_->size() : 0;
      if (!read(*shape.element, nullptr, shape.list.append(value))) return false;
      add_prefix(before, fmt::format("{}.member", ++position));
      path_.resize(prefix);
    }
    path_.resize(size);
    return true;
  }

  bool read_map(const Shape& shape, const Member* member, void* value) {
    const std::size_t size = path_.size();
    path_ += shape.flattened || (member && member->xml_flattened) ? "." : ".entry.";
    const std::size_t prefix = path_.size();
    for (const std::uint32_t index : form_.indices(path_)) {
      path_ += std::to_string(index);
      const std::size_t entry = path_.size();
      path_ += '.';
      path_ += shape.key_name ? shape.key_name : "key";
      const std::string key(form_.value(path_));
      if (!is_valid_utf8(key)) return bad();
      path_.resize(entry);
      path_ += '.';
      path_ += shape.element_name ? shape.element_name : "value";
      void* slot = shape.map.insert(value, key);
      const std::size_t before = missing_ ? missing_->size() : 0;
      if (is_present() && !read(*shape.element, nullptr, slot)) return false;
      add_prefix(before, key + ".member");
      path_.resize(prefix);
    }
    path_.resize(size);
    return true;
  }

  bool bad() {
    if (bad_path_.empty()) bad_path_ = path_;
    return false;
  }
  void add_prefix(std::size_t from, std::string_view prefix) {
    if (!missing_) return;
    for (std::size_t i = from; i < missing_->size(); ++i) (*missing_)[i] = fmt::format("{}.{}", prefix, (*missing_)[i]);
  }

  const wire::Form& form_;
  const bool ec2_;
  MissingMembers* missing_;
  std::string path_;
  std::string bad_path_;
  int depth_ = 0;
};

Reply<void> decode_form(const RequestParts& in, bool ec2) {
  // GET carries the same parameters in the query string.
  const wire::Form form(in.body.empty() ? in.request.query : in.body);
  return FormReader(form, ec2, in.missing).run(*in.operation.input, in.input);
}

void begin_root(std::string& out, std::string_view name, const char* xmlns) {
  wire::XmlWriter xml(out);
  xml.begin(name);
  if (xmlns) xml.attribute("xmlns", xmlns);
  xml.end_begin();
}

void write_fields(std::string& out, const wire::Json& fields) {
  wire::XmlWriter xml(out);
  for (const auto& [name, value] : fields.as_object()) {
    if (const auto text = value.scalar_text()) {
      xml.element(name, *text);
      continue;
    }
    xml.open(name);
    write_fields(out, value);
    for (const wire::Json& element : value.as_array()) {
      if (const auto text = element.scalar_text()) {
        xml.element("member", *text);
      } else {
        xml.open("member");
        write_fields(out, element);
        xml.close("member");
      }
    }
    xml.close(name);
  }
}

}  // namespace

namespace query {

Reply<void> decode(const RequestParts& in) { return decode_form(in, false); }

void encode(const ReplyParts& out) {
  out.response.set("Content-Type", "text/xml");
  out.response.set("x-amzn-RequestId", out.request_id);
  std::string& body = out.response.body;
  wire::XmlWriter xml(body);
  const std::string root = fmt::format("{}Response", out.operation.name);
  begin_root(body, root, out.service.xml_namespace);
  if (out.operation.result_wrapper) {
    xml.open(out.operation.result_wrapper);
    const std::size_t inside = body.size();
    write_xml_members(*out.operation.output, out.output, body, {});
    if (body.size() == inside) body.insert(inside - 1, "/");  // "<ReceiveMessageResult/>"
    else xml.close(out.operation.result_wrapper);
  }
  xml.open("ResponseMetadata");
  xml.element("RequestId", out.request_id);
  xml.close("ResponseMetadata");
  xml.close(root);
}

void encode_error(const ErrorParts& out) {
  out.response.set("Content-Type", "text/xml");
  out.response.set("x-amzn-RequestId", out.request_id);
  out.response.body.clear();
  std::string& body = out.response.body;
  wire::XmlWriter xml(body);
  begin_root(body, "ErrorResponse", out.service.xml_namespace);
  xml.open("Error");
  xml.element("Type", out.error.sender_fault ? "Sender" : "Receiver");
  xml.element("Code", query_code(out));
  xml.element("Message", out.error.query_message.empty() ? out.error.message : out.error.query_message);
  write_fields(body, out.error.fields);
  if (out.service.query_compatible) xml.element("Detail", "");  // SQS alone
  xml.close("Error");
  xml.element("RequestId", out.request_id);
  xml.close("ErrorResponse");
}

}  // namespace query

namespace ec2_query {

Reply<void> decode(const RequestParts& in) { return decode_form(in, true); }

void encode(const ReplyParts& out) {
  out.response.set("Content-Type", "text/xml;charset=UTF-8");
  out.response.set("x-amzn-RequestId", out.request_id);
  std::string& body = out.response.body;
  wire::XmlWriter xml(body);
  xml.declaration();
  const std::string root = fmt::format("{}Response", out.operation.name);
  begin_root(body, root, out.service.xml_namespace);
  xml.element("requestId", out.request_id);
  write_xml_members(*out.operation.output, out.output, body, {.ec2 = true, .always_millis = true});
  xml.close(root);
}

void encode_error(const ErrorParts& out) {
  out.response.set("Content-Type", "text/xml;charset=UTF-8");
  out.response.set("x-amzn-RequestId", out.request_id);
  out.response.body.clear();
  wire::XmlWriter xml(out.response.body);
  xml.declaration();
  xml.open("Response");
  xml.open("Errors");
  xml.open("Error");
  xml.element("Code", query_code(out));
  xml.element("Message", out.error.message);
  write_fields(out.response.body, out.error.fields);
  xml.close("Error");
  xml.close("Errors");
  xml.element("RequestID", out.request_id);
  xml.close("Response");
}

}  // namespace ec2_query
}  // namespace reef::aws
