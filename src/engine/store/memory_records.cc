#include "engine/store/memory_records.h"

namespace reef::store {
namespace {
enum class Change : std::uint8_t { kPut = 1, kErase = 2 };
}

MemoryRecords::MemoryRecords(Journal* journal) : journal_(journal) {
  if (journal_) journal_->attach(kJournalKind, *this);
}

void MemoryRecords::put(std::string_view key, std::string value) {
  if (journal_) {
    std::string payload;
    ByteWriter out(payload);
    out.fixed(Change::kPut);
    out.bytes(key);
    out.bytes(value);
    journal_->append(kJournalKind, payload);
  }
  if (const auto found = entries_.find(key); found != entries_.end()) found->second = std::move(value);
  else entries_.emplace(key, std::move(value));
}

bool MemoryRecords::erase(std::string_view key) {
  const auto found = entries_.find(key);
  if (found == entries_.end()) return false;
  if (journal_) {
    std::string payload;
    ByteWriter out(payload);
    out.fixed(Change::kErase);
    out.bytes(key);
    journal_->append(kJournalKind, payload);
  }
  entries_.erase(found);
  return true;
}

const std::string* MemoryRecords::find(std::string_view key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : &found->second;
}

void MemoryRecords::scan(std::string_view prefix, std::string_view after,
                         const std::function<bool(std::string_view, const std::string&)>& visit) const {
  auto at = after.empty() || after < prefix ? entries_.lower_bound(prefix) : entries_.upper_bound(after);
  for (; at != entries_.end() && at->first.starts_with(prefix); ++at)
    if (!visit(at->first, at->second)) return;
}

void MemoryRecords::replay(std::string_view payload, RecordRef) {
  ByteReader in(payload);
  const auto change = in.fixed<Change>();
  const std::string_view key = in.bytes();
  if (change == Change::kErase) {
    if (const auto found = entries_.find(key); found != entries_.end()) entries_.erase(found);
    return;
  }
  std::string value = in.text();
  CHECK(in.ok() && change == Change::kPut);
  entries_.insert_or_assign(std::string(key), std::move(value));
}

void MemoryRecords::save(std::string& out) {
  ByteWriter writer(out);
  for (const auto& [key, value] : entries_) {
    writer.bytes(key);
    writer.bytes(value);
  }
}

bool MemoryRecords::load(std::string_view bytes) {
  ByteReader in(bytes);
  while (!in.at_end()) {
    std::string key = in.text();
    std::string value = in.text();
    if (!in.ok()) return false;
    entries_.emplace_hint(entries_.end(), std::move(key), std::move(value));
  }
  return true;
}

}  // namespace reef::store
