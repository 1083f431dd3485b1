#include "wire/multipart.h"

#include "base/text.h"

namespace reef::wire {
namespace {

constexpr std::size_t kPartsMax = 1000;
constexpr std::size_t kHeadersMax = 20;

// The value of a header's parameter: `name=value` or `name="quoted"`. Browsers write a quote as %22 or \".
std::optional<std::string> parameter_of(std::string_view header, std::string_view wanted) {
  std::size_t at = header.find(';');
  while (at != header.npos) {
    std::string_view rest = trim(header.substr(at + 1));
    const std::size_t equals = rest.find('=');
    if (equals == rest.npos) return std::nullopt;
    const bool is_it = equals_ignoring_case(trim(rest.substr(0, equals)), wanted);
    rest.remove_prefix(equals + 1);
    std::string value;
    std::size_t end = 0;
    if (rest.starts_with('"')) {
      for (end = 1; end < rest.size() && rest[end] != '"'; ++end) {
        if (rest[end] == '\\' && end + 1 < rest.size() && rest[end + 1] == '"') ++end;
        value += rest[end];
      }
      if (end >= rest.size()) return std::nullopt;
    } else {
      end = std::min(rest.find(';'), rest.size());
      value = trim(rest.substr(0, end));
    }
    if (is_it) return value;
    header = rest;
    at = rest.find(';', end);
  }
  return std::nullopt;
}

// The headers of a part, which end with an empty line; false when they are malformed.
bool read_headers(std::string_view& rest, FormPart& part) {
  bool has_name = false;
  for (std::size_t count = 0; count < kHeadersMax; ++count) {
    const std::size_t end = rest.find("\r\n");
    if (end == rest.npos) return false;
    const std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    if (line.empty()) return has_name;
    const std::size_t colon = line.find(':');
    if (colon == line.npos) return false;
    const std::string_view value = trim(line.substr(colon + 1));
    if (equals_ignoring_case(line.substr(0, colon), "content-type")) part.content_type = value;
    if (!equals_ignoring_case(line.substr(0, colon), "content-disposition")) continue;
    const auto name = parameter_of(value, "name");
    if (!name || !equals_ignoring_case(trim(value.substr(0, value.find(';'))), "form-data")) return false;
    part.name = *name;
    part.file_name = parameter_of(value, "filename");
    has_name = true;
  }
  return false;
}

}  // namespace

std::optional<std::string> form_data_boundary(std::string_view content_type) {
  if (!equals_ignoring_case(trim(content_type.substr(0, content_type.find(';'))), "multipart/form-data")) return std::nullopt;
  auto boundary = parameter_of(content_type, "boundary");
  if (!boundary || boundary->empty() || boundary->size() > 70) return std::nullopt;
  return boundary;
}

std::optional<std::vector<FormPart>> parse_form_data(std::string_view body, std::string_view boundary) {
  const std::string mark = "\r\n--" + std::string(boundary);
  std::vector<FormPart> parts;
  // The first boundary may come after a preamble, and without a line before it.
  std::string_view rest = body;
  if (rest.starts_with(std::string_view(mark).substr(2))) {
    rest.remove_prefix(mark.size() - 2);
  } else {
    const std::size_t at = rest.find(mark);
    if (at == rest.npos) return std::nullopt;
    rest.remove_prefix(at + mark.size());
  }
  while (!rest.starts_with("--")) {
    while (rest.starts_with(' ') || rest.starts_with('\t')) rest.remove_prefix(1);
    if (!rest.starts_with("\r\n") || parts.size() == kPartsMax) return std::nullopt;
    rest.remove_prefix(2);
    FormPart part;
    if (!read_headers(rest, part)) return std::nullopt;
    // An empty part has its boundary right after the headers' empty line, which is then the boundary's own.
    const std::string_view from = body.substr(static_cast<std::size_t>(rest.data() - body.data()) - 2);
    const std::size_t end = from.find(mark);
    if (end == from.npos) return std::nullopt;
    part.content = end < 2 ? std::string_view() : from.substr(2, end - 2);
    rest = from.substr(end + mark.size());
    parts.push_back(std::move(part));
  }
  return parts;
}

}  // namespace reef::wire
