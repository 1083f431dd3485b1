#include "engine/telemetry/logs.h"

#include <algorithm>
#include <memory>
#include <set>

#include "base/bytes.h"
#include "base/encoding.h"

namespace reef::telemetry {
namespace {

constexpr std::string_view kGroupPrefix = "telemetry/log-group/";
constexpr std::string_view kStreamPrefix = "telemetry/log-stream/";
constexpr std::string_view kLinePrefix = "logs/";
// The last id given out, and the first line number that no process used yet.
constexpr std::string_view kIdRecord = "telemetry/log-id", kNumberRecord = "telemetry/log-number";
// Groups and streams that went and whose lines may still be there: ids of both, in hexadecimal; stream 0 is all.
constexpr std::string_view kErasePrefix = "telemetry/log-erase/";
constexpr std::uint64_t kNumbersReserved = 1u << 30;

store::Records& records() { return store::Shard::control().records(); }

void append_big_endian(std::string& out, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xFF);
}
std::uint64_t read_big_endian(std::string_view bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

// Times before 1970 cannot occur: the service refuses them.
std::string line_key(std::uint64_t group, std::uint64_t stream, std::int64_t millis, std::uint64_t number) {
  std::string key(kLinePrefix);
  append_big_endian(key, group);
  append_big_endian(key, stream);
  append_big_endian(key, static_cast<std::uint64_t>(std::max<std::int64_t>(millis, 0)));
  append_big_endian(key, number);
  return key;
}

std::uint64_t stored_number(std::string_view record) {
  const std::string* stored = records().find(record);
  return stored ? ByteReader(*stored).fixed<std::uint64_t>() : 0;
}
void store_number(std::string_view record, std::uint64_t number) {
  std::string bytes;
  ByteWriter(bytes).fixed(number);
  records().put(record, std::move(bytes));
}

std::string erase_record(std::uint64_t group, std::uint64_t stream) {
  std::string ids;
  append_big_endian(ids, group);
  append_big_endian(ids, stream);
  return std::string(kErasePrefix).append(hex_encode(ids));
}

LogLine read_line(std::string_view key, std::string_view value) {
  LogLine out;
  out.millis = static_cast<std::int64_t>(read_big_endian(key.substr(kLinePrefix.size() + 16)));
  out.number = read_big_endian(key.substr(kLinePrefix.size() + 24));
  ByteReader in(value);
  out.ingested_millis = in.fixed<std::int64_t>();
  out.message = in.rest();
  return out;
}

std::string encode_group(const LogGroup& group) {
  std::string bytes;
  ByteWriter out(bytes);
  out.fixed(group.id);
  out.fixed(to_micros(group.created));
  out.fixed(group.retention_days);
  out.fixed(group.stored_bytes);
  out.bytes(group.extra);
  return bytes;
}

std::string encode_stream(const LogStream& stream) {
  std::string bytes;
  ByteWriter out(bytes);
  out.fixed(stream.id);
  out.fixed(to_micros(stream.created));
  out.fixed(stream.last_ingested ? to_micros(*stream.last_ingested) : std::int64_t{-1});
  out.fixed(stream.first_millis.value_or(-1));
  out.fixed(stream.last_millis.value_or(-1));
  return bytes;
}

// Group and stream names may hold slashes; a NUL parts them.
std::string stream_record_key(std::string_view group, std::string_view stream) {
  std::string key(kStreamPrefix);
  key += group;
  key += '\0';
  key += stream;
  return key;
}

}  // namespace

void Logs::start() {
  records().scan(kGroupPrefix, [this](std::string_view key, const std::string& value) {
    ByteReader in(value);
    Group& group = groups_[std::string(key.substr(kGroupPrefix.size()))];
    group.group.id = in.fixed<std::uint64_t>();
    group.group.created = from_micros(in.fixed<std::int64_t>());
    group.group.retention_days = in.fixed<std::int32_t>();
    group.group.stored_bytes = in.fixed<std::int64_t>();
    group.group.extra = in.text();
    next_id_ = std::max(next_id_, group.group.id + 1);
    return true;
  });
  std::vector<std::string> orphans;
  records().scan(kStreamPrefix, [&](std::string_view key, const std::string& value) {
    const std::string_view path = key.substr(kStreamPrefix.size());
    const auto at = path.find('\0');
    const auto group = groups_.find(path.substr(0, at));
    if (group == groups_.end()) {
      orphans.emplace_back(key);
      return true;
    }
    ByteReader in(value);
    LogStream stream;
    stream.id = in.fixed<std::uint64_t>();
    stream.created = from_micros(in.fixed<std::int64_t>());
    const auto ingested = in.fixed<std::int64_t>(), first = in.fixed<std::int64_t>(), last = in.fixed<std::int64_t>();
    if (ingested >= 0) stream.last_ingested = from_micros(ingested);
    if (first >= 0) stream.first_millis = first;
    if (last >= 0) stream.last_millis = last;
    next_id_ = std::max(next_id_, stream.id + 1);
    group->second.streams.emplace(path.substr(at + 1), stream);
    return true;
  });
  for (const std::string& key : orphans) records().erase(key);
  next_id_ = std::max(next_id_, stored_number(kIdRecord) + 1);
  next_number_ = std::max(static_cast<std::uint64_t>(to_micros(store::Shard::control().now())), stored_number(kNumberRecord));
  reserve_numbers();
  resume_erasing();
  arm_expiry();
}

void Logs::forget() {
  groups_.clear();
  numbers_end_ = 0;
}

// A clock that was set back must not give numbers out again. Long before they are needed: lines are not stored in one
// with the reservation.
void Logs::reserve_numbers() {
  if (next_number_ + kNumbersReserved / 2 < numbers_end_) return;
  numbers_end_ = next_number_ + kNumbersReserved;
  store_number(kNumberRecord, numbers_end_);
}

// What an earlier process did not come to.
void Logs::resume_erasing() {
  std::set<std::uint64_t> there;
  for (const auto& [name, group] : groups_) {
    there.insert(group.group.id);
    for (const auto& [stream_name, stream] : group.streams) there.insert(stream.id);
  }
  std::vector<std::pair<std::uint64_t, std::uint64_t>> gone;
  records().scan(kErasePrefix, [&](std::string_view key, const std::string&) {
    const std::string ids = hex_decode(key.substr(kErasePrefix.size())).value_or(std::string(16, '\0'));
    gone.emplace_back(read_big_endian(ids), read_big_endian(std::string_view(ids).substr(8)));
    return true;
  });
  for (const auto& [group, stream] : gone) {
    if (there.contains(stream ? stream : group)) records().erase(erase_record(group, stream));  // its removal was not stored
    else erase_lines(group, stream).detach();
  }
}

// Once it is stored that they are gone; a crash before that must not find them missing.
Task<void> Logs::erase_lines(std::uint64_t group, std::uint64_t stream) {
  store::Shard& control = store::Shard::control();
  store::Kv& kv = kv_;
  co_await control.committed();
  if (stream) kv.erase_range(line_key(group, stream, 0, 0), line_key(group, stream + 1, 0, 0));
  else kv.erase_range(line_key(group, 0, 0, 0), line_key(group + 1, 0, 0, 0));
  co_await control.committed();
  control.records().erase(erase_record(group, stream));
}

std::uint64_t Logs::new_id() {
  store_number(kIdRecord, next_id_);
  return next_id_++;
}

void Logs::arm_expiry() {
  store::Shard& shard = store::Shard::control();
  shard.reactor().at(shard.now() + 1h, [this] {
    expire(store::Shard::control().now());
    arm_expiry();
  });
}

LogGroup* Logs::find_group(std::string_view group) {
  const auto found = groups_.find(group);
  return found == groups_.end() ? nullptr : &found->second.group;
}

bool Logs::create_group(std::string_view group, std::string extra, Time now) {
  if (groups_.contains(group)) return false;
  groups_[std::string(group)].group = {.id = new_id(), .created = now, .retention_days = 0, .stored_bytes = 0, .extra = std::move(extra)};
  save_group(group);
  return true;
}

void Logs::save_group(std::string_view group) {
  records().put(std::string(kGroupPrefix) + std::string(group), encode_group(groups_.find(group)->second.group));
}

void Logs::save_stream(std::string_view group, std::string_view stream) {
  records().put(stream_record_key(group, stream), encode_stream(groups_.find(group)->second.streams.find(stream)->second));
}

bool Logs::remove_group(std::string_view name) {
  const auto found = groups_.find(name);
  if (found == groups_.end()) return false;
  // The group goes first: a crash may keep some of these records, and streams without their group are nothing.
  const bool has_lines = found->second.group.stored_bytes > 0;
  const std::uint64_t id = found->second.group.id;
  if (has_lines) records().put(erase_record(id, 0), "");
  records().erase(std::string(kGroupPrefix) + std::string(name));
  for (const auto& [stream, ignored] : found->second.streams) records().erase(stream_record_key(name, stream));
  groups_.erase(found);
  if (has_lines) erase_lines(id, 0).detach();
  return true;
}

void Logs::each_group(std::string_view prefix, const std::function<bool(std::string_view, const LogGroup&)>& visit) const {
  for (auto at = groups_.lower_bound(prefix); at != groups_.end() && at->first.starts_with(prefix); ++at)
    if (!visit(at->first, at->second.group)) return;
}

LogStream* Logs::find_stream(std::string_view group, std::string_view stream) {
  const auto found = groups_.find(group);
  if (found == groups_.end()) return nullptr;
  const auto one = found->second.streams.find(stream);
  return one == found->second.streams.end() ? nullptr : &one->second;
}

bool Logs::create_stream(std::string_view group, std::string_view stream, Time now) {
  const auto found = groups_.find(group);
  if (found == groups_.end() || found->second.streams.contains(stream)) return false;
  LogStream made;
  made.id = new_id();
  made.created = now;
  found->second.streams.emplace(stream, made);
  save_stream(group, stream);
  return true;
}

bool Logs::remove_stream(std::string_view group, std::string_view stream) {
  const LogStream* found = find_stream(group, stream);
  if (!found) return false;
  const std::uint64_t group_id = find_group(group)->id;
  const bool has_lines = found->last_millis.has_value();
  const std::uint64_t id = found->id;
  if (has_lines) records().put(erase_record(group_id, id), "");
  records().erase(stream_record_key(group, stream));
  groups_.find(group)->second.streams.erase(groups_.find(group)->second.streams.find(stream));
  if (has_lines) erase_lines(group_id, id).detach();
  return true;
}

void Logs::each_stream(std::string_view group, std::string_view prefix,
                       const std::function<bool(std::string_view, const LogStream&)>& visit) const {
  const auto found = groups_.find(group);
  if (found == groups_.end()) return;
  const auto& streams = found->second.streams;
  for (auto at = streams.lower_bound(prefix); at != streams.end() && at->first.starts_with(prefix); ++at)
    if (!visit(at->first, at->second)) return;
}

void Logs::append(std::string_view group, std::string_view stream, const std::vector<LogLine>& lines, Time now) {
  LogGroup& to_group = *find_group(group);
  LogStream& to_stream = *find_stream(group, stream);
  store::KvBatch batch;
  reserve_numbers();
  for (const LogLine& line : lines) {
    std::string value;
    ByteWriter(value).fixed(to_millis(now));
    value += line.message;
    batch.put(line_key(to_group.id, to_stream.id, line.millis, next_number_++), value);
    constexpr std::int64_t kLineOverhead = 26;  // what CloudWatch counts for each event besides its text
    to_group.stored_bytes += static_cast<std::int64_t>(line.message.size()) + kLineOverhead;
    to_stream.first_millis = std::min(to_stream.first_millis.value_or(line.millis), line.millis);
    to_stream.last_millis = std::max(to_stream.last_millis.value_or(line.millis), line.millis);
  }
  to_stream.last_ingested = now;
  kv_.write(batch);
  save_stream(group, stream);
  save_group(group);
}

void Logs::append_anyway(std::string_view group, std::string_view stream, std::string message, Time now) {
  create_group(group, {}, now);
  create_stream(group, stream, now);
  append(group, stream, {LogLine{.millis = to_millis(now), .message = std::move(message)}}, now);
}

std::vector<LogLine> Logs::read(std::string_view group, std::string_view stream, std::int64_t from, std::int64_t to,
                                std::optional<LogPosition> after, bool forward, std::size_t limit) {
  std::vector<LogLine> out;
  const LogGroup* in_group = find_group(group);
  const LogStream* in_stream = find_stream(group, stream);
  if (!in_group || !in_stream || !in_stream->last_millis) return out;
  const std::string low = line_key(in_group->id, in_stream->id, from, 0), high = line_key(in_group->id, in_stream->id, to, 0);
  const std::string at = after ? line_key(in_group->id, in_stream->id, after->millis, after->number) : std::string();
  const auto cursor = kv_.cursor();
  if (forward) {
    for (cursor->seek(std::max(at, low)); cursor->valid() && cursor->key() < high && out.size() < limit; cursor->next())
      if (cursor->key() != at) out.push_back(read_line(cursor->key(), cursor->value()));
  } else {
    for (cursor->seek_for_prev(after ? std::min(at, high) : high); cursor->valid() && cursor->key() >= low && out.size() < limit; cursor->prev())
      if (cursor->key() != at && cursor->key() < high) out.push_back(read_line(cursor->key(), cursor->value()));
  }
  return out;
}

void Logs::merge(std::string_view group, const std::vector<std::string>& streams, std::int64_t from, std::int64_t to, std::optional<LogPosition> after,
                 const std::function<bool(std::string_view, const LogPosition&, const LogLine&)>& visit) {
  struct Source {
    std::string_view name;
    std::uint64_t stream;
    std::unique_ptr<store::KvCursor> cursor;
    std::string high;
    LogPosition position() const {
      const std::string_view key = cursor->key();
      return {static_cast<std::int64_t>(read_big_endian(key.substr(kLinePrefix.size() + 16))), stream, read_big_endian(key.substr(kLinePrefix.size() + 24))};
    }
  };
  const LogGroup* in_group = find_group(group);
  if (!in_group) return;
  std::vector<Source> heap;
  const auto later = [](const Source& a, const Source& b) { return a.position() > b.position(); };
  for (const std::string& name : streams) {
    const LogStream* stream = find_stream(group, name);
    if (!stream || !stream->last_millis || *stream->last_millis < from) continue;
    Source source{name, stream->id, kv_.cursor(), line_key(in_group->id, stream->id, to, 0)};
    source.cursor->seek(line_key(in_group->id, stream->id, after ? std::max(from, after->millis) : from, 0));
    while (source.cursor->valid() && source.cursor->key() < source.high && after && source.position() <= *after) source.cursor->next();
    if (source.cursor->valid() && source.cursor->key() < source.high) heap.push_back(std::move(source));
  }
  std::make_heap(heap.begin(), heap.end(), later);
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), later);
    Source& source = heap.back();
    if (!visit(source.name, source.position(), read_line(source.cursor->key(), source.cursor->value()))) return;
    source.cursor->next();
    if (source.cursor->valid() && source.cursor->key() < source.high) std::push_heap(heap.begin(), heap.end(), later);
    else heap.pop_back();
  }
}

void Logs::expire(Time now) {
  for (auto& [name, group] : groups_) {
    if (group.group.retention_days == 0) continue;
    const std::int64_t oldest = to_millis(now) - std::int64_t{group.group.retention_days} * 86'400'000;
    for (auto& [stream_name, stream] : group.streams) {
      if (!stream.first_millis || *stream.first_millis >= oldest) continue;
      kv_.erase_range(line_key(group.group.id, stream.id, 0, 0), line_key(group.group.id, stream.id, oldest, 0));
      if (*stream.last_millis < oldest) stream.first_millis = stream.last_millis = std::nullopt;
      else stream.first_millis = oldest;
      save_stream(name, stream_name);
    }
  }
}

}  // namespace reef::telemetry
