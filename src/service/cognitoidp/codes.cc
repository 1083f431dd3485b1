// Codes that prove who reads an address. Nothing is mailed: what would be is in the pool's log group.
#include <fmt/format.h>

#include "base/log.h"
#include "base/random.h"
#include "base/seal.h"
#include "base/text.h"
#include "service/cognitoidp/cognitoidp.h"

namespace reef::service::cognito {
namespace {

using wire::Json;

constexpr std::size_t kDigits = 6;
constexpr Duration kSignUpLasts = std::chrono::hours(24), kForgotLasts = std::chrono::hours(1);

// From the kernel: codes are secrets.
std::string make_code() {
  std::uint64_t number = 0;
  for (const char c : secret_bytes(sizeof number)) number = number << 8 | static_cast<unsigned char>(c);
  return fmt::format("{:0{}}", number % 1'000'000, kDigits);
}

std::string masked(std::string_view attribute, const std::string& to) {
  if (attribute == "email") {
    const auto at = to.find('@');
    if (at == std::string::npos) return to;
    return fmt::format("{}***@{}***", to.substr(0, 1), to.substr(at + 1, 1));
  }
  return to.size() < 5 ? to : fmt::format("+{}{}", std::string(to.size() - 5, '*'), to.substr(to.size() - 4));
}

struct Text {
  std::string subject, body;
};
Text text_of(const Pool& pool, std::string_view purpose, bool is_email) {
  Text out{.subject = "Your verification code", .body = "Your verification code is {####}."};
  if (purpose == "forgot") out.body = "Your password reset code is {####}";
  if (pool.value.email_verification_subject) out.subject = *pool.value.email_verification_subject;
  if (is_email && pool.value.email_verification_message) out.body = *pool.value.email_verification_message;
  if (!is_email && pool.value.sms_verification_message) out.body = *pool.value.sms_verification_message;
  if (const auto& own = pool.value.verification_message_template) {
    if (own->email_subject) out.subject = *own->email_subject;
    if (is_email && own->email_message) out.body = *own->email_message;
    if (!is_email && own->sms_message) out.body = *own->sms_message;
  }
  return out;
}

}  // namespace

std::string code_attribute(const Pool& pool, const User& user, bool verified_only) {
  const auto& automatic = pool.value.auto_verified_attributes;
  for (const std::string_view attribute : {"email", "phone_number"}) {
    if (user.attribute(attribute).empty()) continue;
    const bool wanted = verified_only ? user.is_verified(attribute) : automatic && std::find(automatic->begin(), automatic->end(), attribute) != automatic->end();
    if (wanted) return std::string(attribute);
  }
  return {};
}

void deliver(Cognito& service, const Pool& pool, const User& user, std::string_view medium, std::string_view to, const std::string& subject, const std::string& text, Time now) {
  const Json line = Json::object({{"user", user.name}, {"medium", std::string(medium)}, {"destination", std::string(to)}, {"subject", subject}, {"message", text}});
  service.logs.append_anyway(fmt::format("{}/{}//atoll/cognito/{}", pool.account(), pool.region(), pool.id()), "messages", line.dump(), now);
}

Task<Reply<model::CodeDeliveryDetailsType>> send_code(Cognito& service, Who who, std::string purpose, std::string attribute, std::string trigger, TextPairs metadata, Time now) {
  const std::string code = make_code();
  const bool is_email = attribute == "email";
  Text text;
  {
    Pool& pool = *CO_TRY(service.pool(who.pool));
    User& user = *CO_TRY(service.user(pool, who.user));
    user.codes[purpose] = {.purpose = purpose, .value = code, .expires = now + (purpose == "forgot" ? kForgotLasts : kSignUpLasts)};
    service.save(pool, user);
    text = text_of(pool, purpose, is_email);
    if (has_trigger(pool, "CustomMessage")) {
      Json client_metadata = Json::object();
      for (const auto& [key, value] : metadata) client_metadata.set(key, value);
      const Json own = CO_TRY(co_await invoke_trigger(service, who, {"CustomMessage", trigger},
                                                      Json::object({{"userAttributes", attributes_json(user)}, {"codeParameter", "{####}"}, {"linkParameter", "{##Click Here##}"},
                                                                    {"usernameParameter", Json()}, {"clientMetadata", std::move(client_metadata)}}),
                                                      Json::object({{"smsMessage", Json()}, {"emailMessage", Json()}, {"emailSubject", Json()}})));
      if (!own.text("emailSubject").empty()) text.subject = own.text("emailSubject");
      if (const std::string& body = own.text(is_email ? "emailMessage" : "smsMessage"); !body.empty()) text.body = body;
    }
  }
  const Pool& pool = *CO_TRY(service.pool(who.pool));
  const User* const user = CO_TRY(service.user(*CO_TRY(service.pool(who.pool)), who.user));
  const std::string to = user->attribute(attribute), medium = is_email ? "EMAIL" : "SMS";
  deliver(service, pool, *user, medium, to, text.subject, replace_all(replace_all(text.body, "{####}", code), "{username}", user->name), now);
  co_return model::CodeDeliveryDetailsType{.destination = masked(attribute, to), .delivery_medium = medium, .attribute_name = attribute};
}

aws::Error code_error(identity::CodeFault fault) {
  switch (fault) {
    case identity::CodeFault::kExpired: return {errors::kExpiredCodeException, "Invalid code provided, please request a code again."};
    case identity::CodeFault::kTooMany: return {errors::kLimitExceededException, "Attempt limit exceeded, please try after some time."};
    case identity::CodeFault::kNone:
    case identity::CodeFault::kWrong: break;
  }
  return {errors::kCodeMismatchException, "Invalid verification code provided, please try again."};
}

}  // namespace reef::service::cognito
