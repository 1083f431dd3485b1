#include "service/apigatewayv2/mapping.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  using namespace reef::service::apigatewayv2;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto cut = text.find('\n');
  reef::http::Request request;
  request.query = "a=b&c=d";
  const MappingValues values{.request = &request, .path = "/", .parameters = {}, .request_body = cut == std::string_view::npos ? "" : text.substr(cut + 1), .response_body = {}, .response = nullptr,
                             .context = nullptr, .stage_variables = nullptr};
  const std::string expression(text.substr(0, cut));
  static_cast<void>(map_value(expression, values));
  static_cast<void>(rewrite_request({{"append:header.x", expression}, {"overwrite:querystring.a", expression}, {expression, "x"}}, values));
  return 0;
}
