#include "service/cognitoidp/pages.h"

#include <fmt/format.h>

namespace reef::service::cognito {
namespace {

http::Response page(int status, std::string_view title, std::string_view body) {
  http::Response out;
  out.status = status;
  out.set("Content-Type", "text/html; charset=utf-8");
  out.set("Cache-Control", "no-store");
  out.set("X-Frame-Options", "DENY");
  out.set("X-Content-Type-Options", "nosniff");
  out.set("Referrer-Policy", "no-referrer");
  out.set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
  out.body = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>{0}</title>\n"
      "<style>body{{font:16px system-ui,sans-serif;display:flex;justify-content:center;margin:4rem 1rem}}main{{width:20rem}}"
      "label,input,button{{display:block;width:100%;box-sizing:border-box}}input{{padding:.5rem;margin:.25rem 0 1rem}}button{{padding:.6rem}}p.error{{color:#b00}}</style></head>\n"
      "<body><main><h1>{0}</h1>\n{1}</main></body>\n</html>\n",
      title, body);
  return out;
}

http::Response form_page(std::string_view title, const Form& form, std::string_view fields, std::string_view button) {
  std::string body;
  if (!form.message.empty()) body += fmt::format("<p class=\"error\" role=\"alert\">{}</p>\n", escape_html(form.message));
  body += fmt::format("<form method=\"post\" action=\"{}\">\n<input type=\"hidden\" name=\"_csrf\" value=\"{}\">\n", escape_html(form.action), escape_html(form.csrf));
  if (!form.step.empty()) body += fmt::format("<input type=\"hidden\" name=\"step\" value=\"{}\">\n", escape_html(form.step));
  body += fmt::format("{}<button type=\"submit\">{}</button>\n</form>\n", fields, button);
  return page(200, title, body);
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

http::Response sign_in_page(const Form& form) {
  return form_page("Sign in", form,
                   "<label>Username<input name=\"username\" autocomplete=\"username\" required autofocus></label>\n"
                   "<label>Password<input name=\"password\" type=\"password\" autocomplete=\"current-password\" required></label>\n",
                   "Sign in");
}

http::Response new_password_page(const Form& form) {
  return form_page("Choose a new password", form, "<label>New password<input name=\"new_password\" type=\"password\" autocomplete=\"new-password\" required autofocus></label>\n", "Save");
}

http::Response one_time_page(const Form& form) {
  return form_page("Enter your code", form, "<label>Code of your authenticator app<input name=\"code\" inputmode=\"numeric\" autocomplete=\"one-time-code\" required autofocus></label>\n", "Continue");
}

http::Response error_page(int status, std::string_view what) { return page(status, "An error was encountered", fmt::format("<p>{}</p>\n", escape_html(what))); }

http::Response signed_out_page() { return page(200, "Signed out", "<p>You are signed out.</p>\n"); }

}  // namespace reef::service::cognito
