#include "engine/edge/balancer/plan.h"

#include <fmt/format.h>

namespace reef::edge {

std::string make_location(const Redirect& redirect, std::string_view protocol, std::string_view host, int port, std::string_view path,
                          std::string_view query) {
  const std::string port_text = std::to_string(port);
  // The leading slash of a path is not part of "#{path}".
  const std::string_view bare = path.starts_with('/') ? path.substr(1) : path;
  const auto fill = [&](std::string_view text) {
    std::string out;
    for (;;) {
      const auto at = text.find("#{");
      out += text.substr(0, at);
      if (at == std::string_view::npos) return out;
      text.remove_prefix(at);
      const auto end = text.find('}');
      if (end == std::string_view::npos) return out += text;
      const std::string_view name = text.substr(2, end - 2);
      if (name == "protocol") out += protocol;
      else if (name == "host") out += host;
      else if (name == "port") out += port_text;
      else if (name == "path") out += bare;
      else if (name == "query") out += query;
      else out += text.substr(0, end + 1);
      text.remove_prefix(end + 1);
    }
  };
  std::string out = fmt::format("{}://{}:{}{}", to_lower(fill(redirect.protocol)), fill(redirect.host), fill(redirect.port), fill(redirect.path));
  if (const std::string asked = fill(redirect.query); !asked.empty()) out += "?" + asked;
  return out;
}

std::string actions_text(const RuleActions& actions) {
  std::string out = actions.sign_in ? "authenticate," : actions.token_check ? "jwt-validation," : "";
  return out += actions.forward ? "forward" : actions.redirect ? "redirect" : "fixed-response";
}

}  // namespace reef::edge
