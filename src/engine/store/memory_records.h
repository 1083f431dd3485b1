// Records as a sorted map whose changes are journal records.
#pragma once

#include <map>
#include <string>

#include "engine/store/journal.h"
#include "engine/store/records.h"

namespace reef::store {

class MemoryRecords final : public Records, public JournalUser {
 public:
  static constexpr std::uint8_t kJournalKind = 1;

  // `journal` may be null: then nothing is durable (tests).
  explicit MemoryRecords(Journal* journal = nullptr);

  void put(std::string_view key, std::string value) override;
  bool erase(std::string_view key) override;
  const std::string* find(std::string_view key) const override;
  void scan(std::string_view prefix, std::string_view after,
            const std::function<bool(std::string_view, const std::string&)>& visit) const override;
  using Records::scan;

  void replay(std::string_view payload, RecordRef at) override;
  void save(std::string& out) override;
  bool load(std::string_view bytes) override;
  void clear() override { entries_.clear(); }

 private:
  Journal* journal_;
  std::map<std::string, std::string, std::less<>> entries_;
};

}  // namespace reef::store
