// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateArchive.html, API_DescribeArchive, API_ListArchives,
// API_UpdateArchive, API_DeleteArchive
#include "aws/unmodelled_errors.h"
#include "base/text.h"
#include "engine/store/shard.h"
#include "service/eventbridge/eventbridge.h"

namespace reef::service::eventbridge::operations {
namespace {

aws::Error no_archive(const std::string& name) { return {errors::kResourceNotFoundException, fmt::format("Archive {} does not exist.", name)}; }

Reply<void> check_pattern(const std::optional<std::string>& pattern) {
  if (!pattern) return {};
  if (const auto compiled = events::compile_pattern(*pattern); !compiled) return Err(invalid_pattern(compiled.error()));
  return {};
}

template <class Output>
Task<Reply<Output>> keep(EventBridge& service, Archive archive) {
  Output out;
  out.archive_arn = archive.arn();
  out.state = "ENABLED";
  out.creation_time = archive.created;
  service.archives.put(std::move(archive));
  co_await store::Shard::control().committed();
  co_return out;
}

}  // namespace

Task<Reply<model::CreateArchiveOutput>> CreateArchive(EventBridge& service, const model::CreateArchiveInput& in, const Call& call) {
  const auto bus = parse_bus_arn(in.event_source_arn);
  if (!bus || !service.book.find(*bus)) co_return Err(no_bus(bus ? bus->name : in.event_source_arn));
  if (service.archives.find(key_of(call, in.archive_name))) co_return Err(aws::Error(errors::kResourceAlreadyExistsException, fmt::format("Archive {} already exists.", in.archive_name)));
  CO_TRY(check_pattern(in.event_pattern));
  Archive archive{.account = call.account, .region = call.region, .name = in.archive_name, .source = in.event_source_arn, .description = in.description.value_or(""),
                  .pattern = in.event_pattern.value_or(""), .key_id = in.kms_key_identifier.value_or(""), .retention_days = in.retention_days.value_or(0), .created = call.now};
  co_return co_await keep<model::CreateArchiveOutput>(service, std::move(archive));
}

Task<Reply<model::DescribeArchiveOutput>> DescribeArchive(EventBridge& service, const model::DescribeArchiveInput& in, const Call& call) {
  const Archive* archive = service.archives.find(key_of(call, in.archive_name));
  if (!archive) co_return Err(no_archive(in.archive_name));
  const auto size = service.archives.size(*archive);
  model::DescribeArchiveOutput out;
  out.archive_arn = archive->arn();
  out.archive_name = archive->name;
  out.event_source_arn = archive->source;
  out.description = given(archive->description);
  out.event_pattern = given(archive->pattern);
  out.state = "ENABLED";
  out.kms_key_identifier = given(archive->key_id);
  out.retention_days = static_cast<std::int32_t>(archive->retention_days);
  out.size_bytes = size.bytes;
  out.event_count = size.events;
  out.creation_time = archive->created;
  co_return out;
}

Task<Reply<model::ListArchivesOutput>> ListArchives(EventBridge& service, const model::ListArchivesInput& in, const Call& call) {
  std::vector<model::Archive> all;
  for (const Archive* archive : service.archives.list(key_of(call, in.name_prefix.value_or("")))) {
    if ((in.event_source_arn && archive->source != *in.event_source_arn) || (in.state && *in.state != "ENABLED")) continue;
    const auto size = service.archives.size(*archive);
    model::Archive& one = all.emplace_back();
    one.archive_name = archive->name;
    one.event_source_arn = archive->source;
    one.state = "ENABLED";
    one.retention_days = static_cast<std::int32_t>(archive->retention_days);
    one.size_bytes = size.bytes;
    one.event_count = size.events;
    one.creation_time = archive->created;
  }
  model::ListArchivesOutput out;
  out.archives = page_of(std::move(all), in.next_token, in.limit, out.next_token);
  co_return out;
}

Task<Reply<model::UpdateArchiveOutput>> UpdateArchive(EventBridge& service, const model::UpdateArchiveInput& in, const Call& call) {
  const Archive* found = service.archives.find(key_of(call, in.archive_name));
  if (!found) co_return Err(no_archive(in.archive_name));
  CO_TRY(check_pattern(in.event_pattern));
  Archive archive = *found;
  if (in.description) archive.description = *in.description;
  if (in.event_pattern) archive.pattern = *in.event_pattern;
  if (in.retention_days) archive.retention_days = *in.retention_days;
  if (in.kms_key_identifier) archive.key_id = *in.kms_key_identifier;
  co_return co_await keep<model::UpdateArchiveOutput>(service, std::move(archive));
}

Task<Reply<model::DeleteArchiveOutput>> DeleteArchive(EventBridge& service, const model::DeleteArchiveInput& in, const Call& call) {
  const std::string key = key_of(call, in.archive_name);
  if (!service.archives.find(key)) co_return Err(no_archive(in.archive_name));
  service.archives.remove(key);
  co_await store::Shard::control().committed();
  co_return model::DeleteArchiveOutput();
}

}  // namespace reef::service::eventbridge::operations
