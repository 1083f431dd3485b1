#include "engine/table/tables.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/random.h"
#include "engine/store/journal.h"
#include "engine/store/memory_records.h"
#include "engine/table/keys.h"

namespace reef::table {
namespace {

using V = AttributeValue;

class TablesTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("atoll-tables-" + make_uuid(thread_random()));
    clock_.freeze();
    reactor_ = std::make_unique<io::Reactor>(clock_);
    shard_ = std::make_unique<store::Shard>(0, *reactor_);
    shard_->adopt_thread();
    auto journal = *store::Journal::open(folder_, store::Durability::kProcess);
    auto records = std::make_unique<store::MemoryRecords>(journal.get());
    ASSERT_TRUE(journal->recover().has_value());
    shard_->attach(std::move(journal), std::move(records));
    kv_ = store::make_memory_kv();
    tables_ = std::make_unique<Tables>(*kv_);
    tables_->start();
  }
  void TearDown() override {
    tables_->stop();
    tables_.reset();
    shard_.reset();
    reactor_.reset();
    std::filesystem::remove_all(folder_);
  }

  template <class T>
  T run(Task<T> task) {
    while (!task.done()) reactor_->run_once(1ms);
    return std::move(task).take();
  }
  void settle() {
    for (int i = 0; i < 20; ++i) reactor_->run_once(1ms);
  }

  TablePtr make_table() {
    TableDefinition definition;
    definition.account = "1";
    definition.region = "r";
    definition.name = "events";
    definition.keys = {{"pk", AttributeKind::kString}, KeyAttribute{"sk", AttributeKind::kNumber}};
    definition.attributes = {{"pk", AttributeKind::kString}, {"sk", AttributeKind::kNumber}, {"kind", AttributeKind::kString}};
    IndexDefinition index;
    index.name = "by_kind";
    index.is_global = true;
    index.keys = {{"kind", AttributeKind::kString}, KeyAttribute{"sk", AttributeKind::kNumber}};
    index.projection = ProjectionKind::kKeysOnly;
    definition.indexes.push_back(index);
    return *run(tables_->create(std::move(definition)));
  }
  AttributeMap item(std::string pk, int sk, std::string kind = "") {
    AttributeMap out = {{"pk", V::string(pk)}, {"sk", V::number(std::to_string(sk))}, {"data", V::string("d")}};
    if (!kind.empty()) out.emplace("kind", V::string(kind));
    return out;
  }
  void put(const TablePtr& table, const AttributeMap& item) {
    ASSERT_TRUE(run(tables_->write({.kind = Write::Kind::kPut, .table = table, .item = &item})).has_value());
  }
  Read partition(const TablePtr& table, std::string pk) {
    std::string from = partition_key(table->id, V::string(pk));
    return {.table = table, .from = from, .to = after_prefix(from)};
  }

  std::string folder_;
  io::SystemClock clock_;
  std::unique_ptr<io::Reactor> reactor_;
  std::unique_ptr<store::Shard> shard_;
  std::unique_ptr<store::Kv> kv_;
  std::unique_ptr<Tables> tables_;
};

}  // namespace

TEST_F(TablesTest, KeepsDefinitionsOnceByName) {
  const TablePtr table = make_table();
  EXPECT_EQ(tables_->find("1", "r", "events")->id, table->id);
  EXPECT_EQ(run(tables_->create(*table)).error().why, Refusal::kTableExists);
  EXPECT_EQ(tables_->list("1", "r", "", 10), std::vector<std::string>{"events"});
  Tables again(*kv_);
  again.start();
  EXPECT_EQ(again.find("1", "r", "events")->keys, table->keys);
  EXPECT_TRUE(run(tables_->remove("1", "r", "events")).has_value());
  EXPECT_EQ(tables_->find("1", "r", "events"), nullptr);
}

TEST_F(TablesTest, ReadsPartitionsInOrderOfTheirRangeKey) {
  const TablePtr table = make_table();
  for (const int sk : {10, -3, 200, 0, 7}) put(table, item("a", sk));
  put(table, item("b", 1));
  Read read = partition(table, "a");
  const Page page = tables_->read(read);
  ASSERT_EQ(page.items.size(), 5u);
  EXPECT_EQ(page.items[0].at("sk").text(), "-3");
  EXPECT_EQ(page.items[4].at("sk").text(), "200");
  EXPECT_FALSE(page.last_key.has_value());
  read.forward = false;
  read.limit = 2;
  const Page backwards = tables_->read(read);
  EXPECT_EQ(backwards.items[0].at("sk").text(), "200");
  EXPECT_EQ(backwards.last_key->at("sk").text(), "10");
  EXPECT_EQ(backwards.last_key->size(), 2u);
  EXPECT_EQ(tables_->counters(*table).items, 6);
}

TEST_F(TablesTest, KeepsIndexesInStep) {
  const TablePtr table = make_table();
  put(table, item("a", 1, "x"));
  put(table, item("b", 2, "x"));
  put(table, item("c", 3, "y"));
  const IndexDefinition& index = table->indexes[0];
  const auto by_kind = [&](std::string kind) {
    std::string from = space_prefix(table->id, index.number);
    append_hash_part(from, V::string(kind));
    return tables_->read({.table = table, .index = &index, .from = from, .to = after_prefix(from)});
  };
  ASSERT_EQ(by_kind("x").items.size(), 2u);
  EXPECT_FALSE(by_kind("x").items[0].contains("data"));
  put(table, item("a", 1, "y"));
  const AttributeMap key = {{"pk", V::string("c")}, {"sk", V::number("3")}};
  ASSERT_TRUE(run(tables_->write({.kind = Write::Kind::kDelete, .table = table, .item = &key})).has_value());
  EXPECT_EQ(by_kind("x").items.size(), 1u);
  EXPECT_EQ(by_kind("y").items.size(), 1u);
  AttributeMap wrong = item("d", 4);
  wrong["kind"] = V::number("1");
  EXPECT_EQ(run(tables_->write({.kind = Write::Kind::kPut, .table = table, .item = &wrong})).error().detail,
            "One or more parameter values were invalid: Type mismatch for Index Key kind Expected: S Actual: N IndexName: "
            "by_kind");
}

TEST_F(TablesTest, FillsAnIndexThatIsAddedLater) {
  const TablePtr table = make_table();
  for (int i = 0; i < 450; ++i) put(table, item("p" + std::to_string(i % 7), i));
  const auto changed = run(tables_->change("1", "r", "events", [](TableDefinition& definition) {
    IndexDefinition index;
    index.name = "by_sk";
    index.is_global = true;
    index.keys = {{"sk", AttributeKind::kNumber}, std::nullopt};
    definition.indexes.push_back(index);
    return std::string();
  }));
  ASSERT_TRUE(changed.has_value());
  EXPECT_TRUE((*changed)->find_index("by_sk")->is_backfilling);
  settle();
  const TablePtr now = tables_->find("1", "r", "events");
  EXPECT_FALSE(now->find_index("by_sk")->is_backfilling);
  const std::string from = space_prefix(now->id, now->find_index("by_sk")->number);
  EXPECT_EQ(tables_->read({.table = now, .index = now->find_index("by_sk"), .from = from, .to = after_prefix(from)}).count, 450u);
}

TEST_F(TablesTest, TransactsAllOrNothing) {
  const TablePtr table = make_table();
  const AttributeMap a = item("a", 1), b = item("b", 2);
  const Condition exists{.op = Condition::Op::kExists, .operands = {Operand{.path = {{.name = "pk"}}}}};
  std::vector<Write> writes = {{.kind = Write::Kind::kPut, .table = table, .item = &a},
                               {.kind = Write::Kind::kPut, .table = table, .item = &b, .condition = &exists}};
  const auto failed = run(tables_->transact(writes));
  ASSERT_FALSE(failed.has_value());
  EXPECT_FALSE(failed.error().reasons[0].has_value());
  EXPECT_EQ(failed.error().reasons[1]->why, Refusal::kConditionFailed);
  EXPECT_FALSE(tables_->get(*table, a).has_value());
  writes[1].condition = nullptr;
  EXPECT_TRUE(run(tables_->transact(writes)).has_value());
  EXPECT_EQ(tables_->get(*table, b), b);
  EXPECT_EQ(tables_->counters(*table).items, 2);
}

TEST_F(TablesTest, DeletesItemsWhenTheyExpire) {
  TablePtr table = make_table();
  table = *run(tables_->change("1", "r", "events", [](TableDefinition& definition) {
    definition.expiry_attribute = "ends";
    return std::string();
  }));
  AttributeMap brief = item("a", 1), lasting = item("a", 2);
  brief.emplace("ends", V::number(std::to_string(to_seconds(clock_.now()) + 100)));
  put(table, brief);
  put(table, lasting);
  settle();
  EXPECT_TRUE(tables_->get(*table, brief).has_value());
  clock_.advance(102s);
  reactor_->clock_moved();
  settle();
  EXPECT_FALSE(tables_->get(*table, brief).has_value());
  EXPECT_TRUE(tables_->get(*table, lasting).has_value());
}

// Found by the simulation: the process ended before it had looked for what expires.
TEST_F(TablesTest, LooksAgainForWhatExpiresAfterARestart) {
  const TablePtr table = make_table();
  AttributeMap brief = item("a", 1);
  brief.emplace("ends", V::number(std::to_string(to_seconds(clock_.now()) + 100)));
  put(table, brief);
  auto changing = tables_->change("1", "r", "events", [](TableDefinition& definition) {
    definition.expiry_attribute = "ends";
    return std::string();
  });
  tables_->stop();
  ASSERT_TRUE(run(std::move(changing)).has_value());
  settle();
  tables_ = std::make_unique<Tables>(*kv_);
  tables_->start();
  settle();
  clock_.advance(102s);
  reactor_->clock_moved();
  settle();
  EXPECT_FALSE(tables_->get(*table, brief).has_value());
}

}  // namespace reef::table
