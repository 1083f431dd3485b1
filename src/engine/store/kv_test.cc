#include "engine/store/kv.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/random.h"

namespace reef::store {
namespace {

std::string contents(Kv& kv) {
  std::string out;
  const auto cursor = kv.cursor();
  for (cursor->seek(""); cursor->valid(); cursor->next())
    out.append(cursor->key()).append("=").append(cursor->value()).append(" ");
  return out;
}

void exercise(Kv& kv) {
  KvBatch batch;
  batch.put("b", "2");
  batch.put("a", "1");
  batch.put("c", "3");
  kv.write(batch);
  EXPECT_EQ(kv.get("a"), "1");
  EXPECT_EQ(kv.get("x"), std::nullopt);
  const auto before = kv.cursor();
  kv.erase("b");
  kv.put("d", "4");
  EXPECT_EQ(contents(kv), "a=1 c=3 d=4 ");
  before->seek("b");
  ASSERT_TRUE(before->valid());
  EXPECT_EQ(before->value(), "2");
  before->seek_for_prev("bb");
  EXPECT_EQ(before->key(), "b");
  kv.erase_range("c", "d");
  EXPECT_EQ(contents(kv), "a=1 d=4 ");
}

}  // namespace

TEST(Kv, InMemoryKeepsOrderAndViews) { exercise(*make_memory_kv()); }

TEST(Kv, OnDiskKeepsOrderViewsAndDataAcrossReopening) {
  const std::string folder = std::filesystem::temp_directory_path() / ("atoll-kv-" + make_uuid(thread_random()));
  std::filesystem::create_directories(folder);
  {
    const auto kv = make_rocksdb_kv(folder, Durability::kProcess);
    EXPECT_FALSE(kv->opened());
    exercise(*kv);
    kv->close();
  }
  const auto kv = make_rocksdb_kv(folder, Durability::kPower);
  EXPECT_EQ(contents(*kv), "a=1 d=4 ");
  kv->close();
  std::filesystem::remove_all(folder);
}

}  // namespace reef::store
