// The pages that a user pool's domain shows to browsers: plain forms, no scripts.
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"

namespace reef::service::cognito {

// Where a form goes and what it carries; all of it is escaped.
struct Form {
  std::string action;     // with its query
  std::string csrf;       // the token that the browser's cookie has, too
  std::string step;       // of a sign-in under way; empty at its start
  std::string message;    // what went wrong before
};
http::Response sign_in_page(const Form& form);
http::Response new_password_page(const Form& form);
http::Response one_time_page(const Form& form);
http::Response error_page(int status, std::string_view what);
http::Response signed_out_page();

std::string escape_html(std::string_view text);

}  // namespace reef::service::cognito
