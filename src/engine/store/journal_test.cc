#include "engine/store/journal.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/random.h"
#include "engine/store/memory_records.h"

namespace reef::store {
namespace {

class JournalTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("atoll-journal-" + make_uuid(thread_random()));
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  struct Opened {
    std::unique_ptr<Journal> journal;
    std::unique_ptr<MemoryRecords> records;
  };
  Opened open(Durability durability = Durability::kProcess) {
    Opened out;
    out.journal = *Journal::open(folder_, durability);
    out.records = std::make_unique<MemoryRecords>(out.journal.get());
    const auto recovered = out.journal->recover();
    error_ = recovered ? "" : recovered.error().message;
    return out;
  }
  std::string newest_segment() {
    std::string newest;
    for (const auto& entry : std::filesystem::directory_iterator(folder_))
      if (entry.path().extension() == ".log") newest = std::max(newest, entry.path().string());
    return newest;
  }
  std::string folder_, error_;
};

TEST_F(JournalTest, RecoversWhatWasCommittedAndNothingElse) {
  for (const auto durability : {Durability::kProcess, Durability::kPower}) {
    {
      auto store = open(durability);
      store.records->put("a/1", "one");
      store.records->put("a/2", "two");
      store.records->erase("a/1");
      store.journal->commit();
      store.records->put("a/3", "never committed");
    }
    auto store = open(durability);
    EXPECT_EQ(error_, "");
    EXPECT_EQ(store.records->find("a/1"), nullptr);
    EXPECT_EQ(*store.records->find("a/2"), "two");
    EXPECT_EQ(store.records->find("a/3"), nullptr);
    store = {};
    std::filesystem::remove_all(folder_);
  }
}

TEST_F(JournalTest, CutsATornTailAtEveryByte) {
  {
    auto store = open();
    store.records->put("first", "kept");
    store.journal->commit();
  }
  const std::string path = newest_segment();
  const auto good = std::filesystem::file_size(path);
  {
    auto store = open();
    store.records->put("second", std::string(40, 'x'));
    store.journal->commit();
  }
  std::ifstream in(path, std::ios::binary);
  const std::string whole((std::istreambuf_iterator<char>(in)), {});
  for (std::size_t size = good; size < whole.size(); ++size) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << whole.substr(0, size);
    auto store = open();
    EXPECT_EQ(error_, "");
    EXPECT_NE(store.records->find("first"), nullptr);
    EXPECT_EQ(store.records->find("second"), nullptr);
    EXPECT_EQ(std::filesystem::file_size(path), good);
  }
}

TEST_F(JournalTest, CheckpointReplacesOldSegments) {
  {
    auto store = open();
    for (int i = 0; i < 1000; ++i) store.records->put("k" + std::to_string(i % 10), std::string(100, 'a' + i % 26));
    store.journal->checkpoint_now();
    EXPECT_LT(store.journal->bytes_on_disk(), 3000u);
    store.records->put("after", "checkpoint");
    store.journal->commit();
  }
  auto store = open();
  EXPECT_EQ(error_, "");
  EXPECT_EQ(*store.records->find("k9"), std::string(100, 'a' + 999 % 26));
  EXPECT_EQ(*store.records->find("after"), "checkpoint");
}

TEST_F(JournalTest, RefusesDamageInTheMiddleAndUnknownVersions) {
  {
    auto store = open();
    store.records->put("x", std::string(100, 'x'));
    store.journal->commit();
  }
  const std::string path = newest_segment();
  std::filesystem::copy_file(path, folder_ + "/00000099.log");  // so that the damaged one is not the last
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(40);
    file << '?';
  }
  open();
  EXPECT_NE(error_.find("is damaged"), std::string::npos) << error_;
  {
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file << "ATOLLJ77";
  }
  open();
  EXPECT_NE(error_.find("format version 77"), std::string::npos) << error_;
}

TEST_F(JournalTest, ReadsPendingAndWrittenRecords) {
  auto store = open();
  const RecordRef at = store.journal->append(MemoryRecords::kJournalKind, std::string("\x02\x01z", 3));
  EXPECT_EQ(store.journal->read(at), std::string("\x02\x01z", 3));
  store.journal->commit();
  EXPECT_EQ(store.journal->read(at), std::string("\x02\x01z", 3));
}

TEST(MemoryRecords, ScansAPrefixInOrder) {
  MemoryRecords records;
  for (const char* key : {"b/2", "a/1", "b/1", "c/1", "b/3"}) records.put(key, "v");
  std::string seen;
  records.scan("b/", "b/1", [&](std::string_view key, const std::string&) {
    seen += key;
    return true;
  });
  EXPECT_EQ(seen, "b/2b/3");
}

}  // namespace
}  // namespace reef::store
