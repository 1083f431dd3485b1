// A shift under way as it is kept: it goes on after a restart.
#include "service/ecs/ecs.h"

namespace reef::service::ecs {
namespace {

using wire::Json;

constexpr const char* kStatuses[] = {"IN_PROGRESS", "SUCCESSFUL", "STOPPED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS", "ROLLBACK_SUCCESSFUL"};

Json time_json(const std::optional<Time>& time) { return time ? Json(to_micros(*time)) : Json(); }
std::optional<Time> read_time(const Json& json) {
  const auto micros = json.as_int();
  return micros ? std::optional(from_micros(*micros)) : std::nullopt;
}
Time read_point(const Json& json) { return read_time(json).value_or(Time{}); }

}  // namespace

Json shift_json(const task::ShiftState& state) {
  Json hooks = Json::array();
  for (const task::HookRun& run : state.hooks)
    hooks.push_back(Json::object({{"id", run.id}, {"hook", run.hook}, {"status", static_cast<int>(run.status)}, {"next", to_micros(run.next)}, {"expires", to_micros(run.expires)}, {"details", run.details}}));
  return Json::object({{"source", state.source}, {"target", state.target}, {"stage", task::name_of(state.stage)}, {"status", kStatuses[static_cast<int>(state.status)]},
                       {"began", to_micros(state.began)}, {"stageBegan", to_micros(state.stage_began)}, {"updated", to_micros(state.updated)}, {"finished", time_json(state.finished)},
                       {"rollbackBegan", time_json(state.rollback_began)}, {"stepBegan", time_json(state.step_began)}, {"reason", state.reason}, {"hadOthers", state.had_others},
                       {"hooksMade", state.hooks_made}, {"production", state.production}, {"test", state.test}, {"hooks", std::move(hooks)}});
}

task::ShiftState read_shift(const Json& json) {
  task::ShiftState out;
  out.source = json.text("source");
  out.target = json.text("target");
  out.stage = task::parse_stage(json.text("stage")).value_or(task::Stage::kReconcile);
  for (int i = 0; i < static_cast<int>(std::size(kStatuses)); ++i)
    if (json.text("status") == kStatuses[i]) out.status = static_cast<task::ShiftStatus>(i);
  out.began = read_point(json["began"]);
  out.stage_began = read_point(json["stageBegan"]);
  out.updated = read_point(json["updated"]);
  out.finished = read_time(json["finished"]);
  out.rollback_began = read_time(json["rollbackBegan"]);
  out.step_began = read_time(json["stepBegan"]);
  out.reason = json.text("reason");
  out.had_others = json["hadOthers"].as_bool();
  out.hooks_made = json["hooksMade"].as_bool();
  out.production = json["production"].as_double().value_or(0);
  out.test = json["test"].as_double().value_or(0);
  for (const Json& one : json["hooks"].as_array())
    out.hooks.push_back({.id = one.text("id"), .hook = static_cast<std::size_t>(one["hook"].as_int().value_or(0)), .status = static_cast<task::HookStatus>(one["status"].as_int().value_or(1)),
                         .next = read_point(one["next"]), .expires = read_point(one["expires"]), .details = one.text("details")});
  return out;
}

}  // namespace reef::service::ecs
