// What restJson and restXml share: members bound to labels, query parameters, headers, status codes and payloads.
#pragma once

#include "aws/protocol/protocols.h"

namespace reef::aws::rest {

// Reads every member that is not in the body. `fail` words the error for a value that cannot be read.
Reply<void> decode_bindings(const RequestParts& in, Error (*fail)(const Member& member, std::string_view text));
// The member that is the whole body, or nullptr.
const Member* payload_member(const Shape& shape);
bool has_body_members(const Shape& shape);
// A payload that is not a structure: text or bytes as they are. False when text is not UTF-8.
bool read_raw_payload(const Member& member, std::string_view body, void* input);

// Headers and status code of a reply; the raw payload too when there is one. True when the body is done.
bool encode_bindings(const ReplyParts& out);
// Members of an error that travel as headers.
void encode_error_headers(const ErrorParts& out);

}  // namespace reef::aws::rest
