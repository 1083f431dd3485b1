#include "service/secretsmanager/rotation.h"

#include <fmt/format.h>

#include "aws/schedule.h"
#include "base/bytes.h"
#include "base/encoding.h"
#include "base/log.h"
#include "base/random.h"
#include "wire/json.h"

namespace reef::service::secretsmanager {
namespace {

using wire::Json;

constexpr const char* kChannel = "secretsmanager-rotation";
constexpr std::string_view kSteps[] = {"createSecret", "setSecret", "testSecret", "finishSecret"};
constexpr std::string_view kRotate = "rotate", kTest = "test";  // what an entry asks for
constexpr Duration kLookEvery = 1min;

}  // namespace

void Rotation::start() {
  deliveries_.open(kChannel, {.in_flight_per_lane = 1, .in_flight_max = 50}, [this](const delivery::Entry& entry) { return attempt(entry); });
  arm();
}

void Rotation::arm() {
  store::Shard& shard = store::Shard::control();
  shard.reactor().at(shard.now() + kLookEvery, [this] {
    if (stopping_) return;
    start_due(store::Shard::control().now());
    arm();
  });
}

void Rotation::start_due(Time now) {
  for (Secret& secret : every_secret()) {
    if (!secret.rotates || secret.deleted || !secret.next_rotation || *secret.next_rotation > now) continue;
    // The next date comes with the end of this one; until then it is not started again.
    secret.next_rotation = secret.rules ? next_rotation(*secret.rules, now, now) : std::nullopt;
    begin(secret, make_uuid(thread_random()), now);
  }
}

void Rotation::begin(Secret& secret, std::string version_id, Time now) {
  Version* version = secret.version(version_id);
  if (!version) {
    version = &secret.versions.emplace_back();
    version->id = version_id;
    version->created = now;
  }
  if (!version->has(kPending)) secret.move_stage(kPending, version);
  secret.rotating = version_id;
  secret.prune();
  save(secret);
  queue(secret, version_id, kRotate);
}

void Rotation::begin_test(Secret& secret, std::string version_id, Time now) {
  const Version* current = secret.staged(kCurrent);
  Version version{.id = version_id, .text = {}, .binary = {}, .created = now, .accessed = {}, .stages = {}};
  if (current) version.text = current->text, version.binary = current->binary;
  secret.versions.push_back(std::move(version));
  secret.move_stage(kPending, &secret.versions.back());
  secret.rotating = version_id;
  save(secret);
  queue(secret, version_id, kTest);
}

void Rotation::queue(const Secret& secret, const std::string& version_id, std::string_view what) {
  std::string payload;
  ByteWriter out(payload);
  for (const std::string* text : {&secret.account, &secret.region, &secret.arn, &version_id}) out.bytes(*text);
  out.bytes(what);
  deliveries_.add(kChannel, secret.arn, payload).detach();
}

Task<void> Rotation::test(Call call, std::string arn, std::string version_id) {
  auto secret = find_secret(call, arn);
  const Json event = Json::object({{"Step", "testSecret"}, {"SecretId", arn}, {"ClientRequestToken", version_id}});
  const auto out = co_await caller_.invoke_json(call, "lambda", "Invoke", Json::object({{"FunctionName", secret->rotation_function}, {"Payload", base64_encode(event.dump())}}));
  if (!out || out->contains("FunctionError"))
    log::warn("the test of a rotation failed", {{"secret", arn}, {"error", out ? out->text("FunctionError") : out.error().message}});
  secret = find_secret(call, arn);
  if (!secret) co_return;
  std::erase_if(secret->versions, [&](const Version& one) { return one.id == version_id && !one.has(kCurrent); });
  if (secret->rotating == version_id) secret->rotating.clear();
  save(*secret);
}

Task<Reply<void>> Rotation::check_function(const Call& call, std::string function) {
  const auto found = co_await caller_.invoke_json(call, "lambda", "GetFunction", Json::object({{"FunctionName", function}}));
  if (found) co_return Reply<void>();
  co_return Err(aws::Error("AccessDeniedException",
                           fmt::format("Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the principal "
                                       "secretsmanager.amazonaws.com."), 400));
}

// All four steps; a function that fails is tried again from the first: each step must bear being repeated.
Task<delivery::Verdict> Rotation::attempt(const delivery::Entry& entry) {
  ByteReader in(entry.payload);
  const std::string account = in.text(), region = in.text(), arn = in.text(), version_id = in.text();
  if (!in.ok()) co_return delivery::Verdict::done();
  const bool is_test = in.text() == kTest;  // there is none in entries of before there were tests
  const aws::Call call = caller_.internal_call(account, region);
  auto secret = find_secret(call, arn);
  // Cancelled, deleted, or overtaken by another one.
  if (!secret || secret->deleted || secret->rotating != version_id) co_return delivery::Verdict::done();
  if (is_test) {
    co_await test(call, arn, version_id);
    co_return delivery::Verdict::done();
  }
  for (const std::string_view step : kSteps) {
    const Json event = Json::object({{"Step", step}, {"SecretId", arn}, {"ClientRequestToken", version_id}});
    const auto out = co_await caller_.invoke_json(call, "lambda", "Invoke",
                                                  Json::object({{"FunctionName", secret->rotation_function}, {"Payload", base64_encode(event.dump())}}));
    if (out && !out->contains("FunctionError")) continue;
    log::warn("a rotation's function failed", {{"secret", arn}, {"step", step}, {"attempt", entry.attempts + 1},
                                               {"error", out ? out->text("FunctionError") : out.error().message}});
    if (entry.attempts + 1 < kAttemptsMax) co_return delivery::Verdict::retry(delivery::backoff(entry.failures_in_row, 1s, 5min));
    // Given up; the pending version stays, as its reader may want to know.
    if ((secret = find_secret(call, arn)) && secret->rotating == version_id) {
      secret->rotating.clear();
      save(*secret);
    }
    co_return delivery::Verdict::done();
  }
  secret = find_secret(call, arn);
  if (!secret || secret->rotating != version_id) co_return delivery::Verdict::done();
  const Time now = store::Shard::control().now();
  Version* version = secret->version(version_id);
  if (version && version->has(kCurrent)) {
    std::erase(version->stages, kPending);
    secret->rotated = now;
  }
  secret->rotating.clear();
  if (secret->rotates && secret->rules) secret->next_rotation = next_rotation(*secret->rules, now, now);
  save(*secret);
  co_return delivery::Verdict::done();
}

std::optional<Time> next_rotation(const model::RotationRulesType& rules, Time last, Time now) {
  if (rules.schedule_expression) {
    const auto schedule = aws::parse_schedule(*rules.schedule_expression);
    return schedule ? aws::next_time(*schedule, last, now) : std::nullopt;
  }
  if (!rules.automatically_after_days) return std::nullopt;
  return last + std::chrono::hours(24 * *rules.automatically_after_days);
}

Reply<void> check_rules(const model::RotationRulesType& rules) {
  if (rules.schedule_expression && rules.automatically_after_days)
    return Err(invalid_parameter("You can't specify both AutomaticallyAfterDays and ScheduleExpression in RotationRules."));
  if (!rules.schedule_expression) return {};
  const auto schedule = aws::parse_schedule(*rules.schedule_expression);
  if (!schedule || std::holds_alternative<aws::AtSchedule>(*schedule)) return Err(invalid_parameter("The schedule expression is invalid."));
  if (const auto* rate = std::get_if<aws::RateSchedule>(&*schedule); rate && rate->every < 4h)
    return Err(invalid_parameter("The rotation schedule can't be more frequent than every 4 hours."));
  return {};
}

}  // namespace reef::service::secretsmanager
