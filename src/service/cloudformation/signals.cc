#include "service/cloudformation/signals.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/encoding.h"
#include "base/random.h"
#include "base/text.h"
#include "engine/store/records.h"
#include "engine/store/shard.h"
#include "wire/json.h"

namespace reef::cloudformation {
namespace {

using wire::Json;

constexpr std::string_view kPath = "/_aws/cloudformation/signals/", kHost = "cloudformation-custom-resource-response-", kToken = "Signature=";
constexpr std::string_view kPrefix = "cloudformation/signals/";
// AWS takes responses of up to 4096 bytes; what is too long is told to the resource, so a little more is read.
constexpr std::size_t kBytesMax = 16 * 1024, kReceivedMax = 1000, kTokenLength = 40;

// The secret part ends each URL.
std::string_view token_of(std::string_view url) {
  const auto at = url.rfind(kToken);
  std::string_view token = at == std::string_view::npos ? std::string_view{} : url.substr(at + kToken.size());
  return token.substr(0, token.find('&'));
}

http::Response refuse(int status, std::string_view code, std::string_view message) {
  http::Response out;
  out.status = status;
  out.set("content-type", "application/xml");
  out.body = fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{}</Code><Message>{}</Message></Error>", code, message);
  return out;
}

}  // namespace

void Signals::load() {
  store::Shard::control().records().scan(kPrefix, [&](std::string_view key, const std::string& value) {
    Box box{.durable = true, .received = {}};
    if (const auto json = Json::parse(value))
      for (const Json& one : json->as_array()) box.received.push_back(one.as_string());
    boxes_.emplace(key.substr(kPrefix.size()), std::move(box));
    return true;
  });
}

void Signals::save(const std::string& token, const Box& box) {
  if (!box.durable) return;
  Json list = Json::array();
  for (const std::string& one : box.received) list.push_back(one);
  store::Shard::control().records().put(std::string(kPrefix) + token, list.dump());
}

std::string Signals::open(const aws::Call& call, Kind kind, std::string_view label) {
  const std::string token = make_token(thread_random(), kTokenLength, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
  Box& box = boxes_[token];
  box.durable = kind == Kind::kHandle;
  save(token, box);
  const std::string path = fmt::format("{}?{}{}", percent_encode(label), kToken, token);
  // Functions may know of nothing but https and its usual port, as the cfn-response modules do.
  if (kind == Kind::kFromFunction && is_isolated_)
    return fmt::format("https://{}{}.s3.{}.amazonaws.com/{}", kHost, replace_all(call.region, "-", ""), call.region, path);
  return fmt::format("{}{}{}", call.endpoint, kPath, path);
}

Signals::Box* Signals::find(std::string_view url) {
  const auto found = boxes_.find(token_of(url));
  return found == boxes_.end() ? nullptr : &found->second;
}

Task<std::optional<std::string>> Signals::next(std::string url, std::size_t seen, Time until, std::function<bool()> given_up) {
  for (Duration pause = 1ms;; pause = std::min<Duration>(pause * 2, 100ms)) {
    const Box* const box = find(url);
    if (!box) co_return std::nullopt;
    if (box->received.size() > seen) co_return box->received[seen];
    if (store::Shard::control().now() >= until || given_up()) co_return std::nullopt;
    co_await store::Shard::control().reactor().sleep(pause);
  }
}

void Signals::close(std::string_view url) {
  const auto found = boxes_.find(token_of(url));
  if (found == boxes_.end()) return;
  if (found->second.durable) store::Shard::control().records().erase(std::string(kPrefix) + found->first);
  boxes_.erase(found);
}

bool Signals::wants(const http::Request& request) { return request.path.starts_with(kPath) || request.host.starts_with(kHost); }

Task<http::Response> Signals::take(http::Request& request) {
  if (request.method != "PUT" && request.method != "POST") co_return refuse(405, "MethodNotAllowed", "The specified method is not allowed against this resource.");
  auto body = co_await http::read_all(*request.body, kBytesMax);
  if (!body) co_return refuse(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size");
  const std::string url(request.target);
  const auto taken = co_await store::on(store::Shard::control(), [this, &url, &body]() -> Task<bool> {
    Box* const box = find(url);
    if (!box || box->received.size() >= kReceivedMax) co_return false;
    box->received.push_back(*std::move(body));
    save(std::string(token_of(url)), *box);
    co_await store::Shard::control().committed();
    co_return true;
  });
  if (!taken) co_return refuse(403, "AccessDenied", "Request has expired");
  http::Response out;
  co_return out;
}

}  // namespace reef::cloudformation
