// multipart/form-data (RFC 7578): what browsers send for a form with files in it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace reef::wire {

struct FormPart {
  std::string name;                      // of the field
  std::optional<std::string> file_name;  // of a file
  std::string_view content_type;         // as given, or empty
  std::string_view content;              // into the body that was parsed
};

// The boundary that a Content-Type header names; nullopt when it is not multipart/form-data.
std::optional<std::string> form_data_boundary(std::string_view content_type);
// The fields in their order; nullopt when the body is malformed.
std::optional<std::vector<FormPart>> parse_form_data(std::string_view body, std::string_view boundary);

}  // namespace reef::wire
