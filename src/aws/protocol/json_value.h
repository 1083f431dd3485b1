// Model values in JSON: the body of the JSON protocols, and the form in which values are stored and passed inside.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "aws/error.h"
#include "aws/protocol/codec.h"
#include "aws/shape.h"
#include "wire/json.h"
#include "wire/json_reader.h"

namespace reef::aws {

struct JsonRules {
  bool wire_names = false;    // restJson renames members in the body; awsJson never does
  bool body_only = false;     // of the outermost struct, only members whose place is the body
  bool exact_time = false;    // timestamps with their microseconds, as the store needs them
  bool loose_scalars = false;  // "true", "10" and 10 are taken for what the member is, as CloudFormation does
  bool skip_empty_lists = false;  // what services that come from awsQuery do, even for required members
  UnknownMembers unknown = UnknownMembers::kIgnore;
  std::string_view java_package = {};  // where the service's classes live: its parser names them in its errors
};

// "NUMBER_VALUE" or "DECIMAL_VALUE": what AWS's parser calls the number that comes next, which this reads.
std::string_view number_token(wire::JsonReader& in);
// The words that AWS's services take for a flag besides JSON's own: "true", "Yes", "0".
std::optional<bool> flag_word(std::string_view text);
// What is wrong with text that should be base64, in the words of AWS's parser.
std::string base64_fault(std::string_view text);

// Reads the next value of `in` into `value`. Errors are SerializationException with the texts of AWS's parser.
Reply<void> read_json(const Shape& shape, wire::JsonReader& in, void* value, const JsonRules& rules,
                      MissingMembers* missing);
void write_json(const Shape& shape, const void* value, wire::JsonWriter& out, const JsonRules& rules,
                const Member* member = nullptr);

Error serialization_error(std::string message);

}  // namespace reef::aws
