#include <cstdlib>

#include "aws/proxy_event.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)reef::aws::read_proxy_reply(text, true);
  (void)reef::aws::read_proxy_reply(text, false);
  reef::http::Request request;
  request.method = "POST";
  request.path = text.substr(0, size / 4);
  request.query = text.substr(size / 4, size / 4);
  request.target = text.substr(0, size / 2);
  request.headers = {{"cookie", text.substr(size / 2, size / 4)}, {"x-forwarded-for", text.substr(size / 2, size / 4)}};
  const reef::aws::ProxyRequest proxied{.http = request, .body = text.substr(size - size / 4), .account = "000000000000", .api_id = "a", .stage = "$default",
                                        .domain = "localhost", .route_key = "$default", .path = std::string(request.path), .body_is_text = size % 2 == 0};
  for (const std::string& event : {reef::aws::event_v2(proxied), reef::aws::event_v1(proxied, true), reef::aws::event_v1(proxied, false)})
    if (!reef::wire::Json::parse(event)) std::abort();  // whatever came in, the function gets JSON
  (void)reef::aws::function_of_integration(std::string(text));
  return 0;
}
