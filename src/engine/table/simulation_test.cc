// Tables on a machine that crashes at any point, against a map: what was acknowledged is there, what was refused or
// never asked for is not, transactions are whole, indexes and counters agree with the items, pages leave nothing out.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/log.h"
#include "engine/store/simulation.h"
#include "engine/table/item.h"
#include "engine/table/keys.h"
#include "engine/table/tables.h"

namespace reef::table {
namespace {

using V = AttributeValue;
using Place = std::pair<std::string, int>;
using Model = std::map<Place, AttributeMap>;

class TableSimulation {
 public:
  explicit TableSimulation(std::uint64_t seed) : machine_(seed, 3), random_(machine_.random()) {
    start();
    TableDefinition definition;
    definition.account = "1";
    definition.region = "r";
    definition.name = "t";
    definition.keys = {{"pk", AttributeKind::kString}, KeyAttribute{"sk", AttributeKind::kNumber}};
    definition.attributes = {{"pk", AttributeKind::kString}, {"sk", AttributeKind::kNumber}, {"kind", AttributeKind::kString}};
    definition.indexes = {by_kind("kinds")};
    CHECK(machine_.run(tables_->create(definition)).has_value());
  }
  ~TableSimulation() {
    finish();
    stop();
  }

  void go(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
      switch (random_.below(16)) {
        case 0: case 1: case 2: case 3: case 4: case 5: issue_write(); break;
        case 6: case 7: case 8: issue_transaction(); break;
        case 9: case 10: case 11: for (auto n = random_.below(6); n > 0; --n) tick(); break;
        case 12: pass_time(); break;
        case 13: finish(); check(); break;
        case 14: if (random_.below(2)) change_table(); break;
        case 15: crash(); break;
      }
    }
    finish();
    check();
  }

 private:
  // Something asked for and not yet answered: what there will be when it was done, and whether it is to be refused.
  struct Asked {
    std::map<Place, std::optional<AttributeMap>> after;
    bool is_refused = false;
    std::vector<std::unique_ptr<AttributeMap>> items;  // what the writes point to
    std::vector<Write> writes;
    std::optional<Task<Result<Written, Refused>>> write;
    std::vector<Task<Result<std::vector<Written>, Tables::Cancelled>>> transactions;
    Tables::Token token;
  };

  static IndexDefinition by_kind(std::string name) {
    IndexDefinition index;
    index.name = std::move(name);
    index.is_global = true;
    index.keys = {{"kind", AttributeKind::kString}, KeyAttribute{"sk", AttributeKind::kNumber}};
    return index;
  }
  TablePtr table() const { return tables_->find("1", "r", "t"); }
  std::int64_t seconds() const { return to_seconds(machine_.now()); }

  void start() {
    machine_.shard(0).adopt_thread();
    tables_ = std::make_unique<Tables>(machine_.kv());
    tables_->start();
  }
  void stop() {
    machine_.shard(0).adopt_thread();
    tables_->stop();
    settle();
    tables_.reset();
  }
  void settle() {
    for (int i = 0; i < 600; ++i) machine_.step();
  }

  // A place that nobody else is writing to.
  std::optional<Place> free_place(const Asked& asked) {
    const Place place{std::string(1, static_cast<char>('a' + random_.below(5))), static_cast<int>(random_.below(4))};
    const auto takes = [&](const Asked& one) { return one.after.contains(place); };
    if (takes(asked) || std::any_of(asked_.begin(), asked_.end(), takes)) return std::nullopt;
    return place;
  }
  static AttributeMap key_of(const Place& place) {
    return {{"pk", V::string(place.first)}, {"sk", V::number(std::to_string(place.second))}};
  }

  // Adds a random write to `asked`: to the engine's list and, said in other words, to what will be.
  void add_write(Asked& asked) {
    const auto place = free_place(asked);
    if (!place) return;
    std::optional<AttributeMap> now;
    if (const auto found = model_.find(*place); found != model_.end()) now = found->second;
    auto item = std::make_unique<AttributeMap>(key_of(*place));
    Write write{.table = table(), .item = item.get()};
    std::optional<AttributeMap> after = now;
    switch (random_.below(4)) {
      case 0: case 1: {
        item->emplace("value", V::string(std::string(random_.below(40), 'v') + std::to_string(++written_)));
        if (random_.below(2)) item->emplace("kind", V::string(std::string(1, static_cast<char>('x' + random_.below(2)))));
        if (random_.below(3) == 0) item->emplace("ends", V::number(std::to_string(seconds() + 1 + static_cast<std::int64_t>(random_.below(2000)))));
        after = *item;
        break;
      }
      case 2: {
        write.kind = Write::Kind::kUpdate;
        write.update = &count_up_;
        if (!after) after = *item;
        const auto count = after->find("count");
        const int before = count == after->end() ? 0 : std::stoi(count->second.text());
        after->insert_or_assign("count", V::number(std::to_string(before + 1)));
        after->erase("kind");
        break;
      }
      case 3:
        write.kind = Write::Kind::kDelete;
        after.reset();
        break;
    }
    if (random_.below(3) == 0) {
      const bool wants_there = random_.below(2);
      write.condition = wants_there ? &exists_ : &missing_;
      if (wants_there != now.has_value()) asked.is_refused = true;
    }
    asked.after.emplace(*place, std::move(after));
    asked.items.push_back(std::move(item));
    asked.writes.push_back(write);
  }

  void issue_write() {
    Asked asked;
    add_write(asked);
    if (asked.writes.empty()) return;
    machine_.enter_any();
    asked.write.emplace(tables_->write(asked.writes[0]));
    asked_.push_back(std::move(asked));
  }
  void issue_transaction() {
    Asked asked;
    for (auto n = 2 + random_.below(3); n > 0; --n) add_write(asked);
    if (asked.writes.empty()) return;
    asked.token = {"token" + std::to_string(++written_), "digest"};
    // A client that does not wait for the answer asks again with the same token.
    for (auto n = 1 + random_.below(2); n > 0; --n) {
      machine_.enter_any();
      asked.transactions.push_back(tables_->transact(asked.writes, asked.token));
      for (auto ticks = random_.below(3); ticks > 0; --ticks) machine_.step();
    }
    asked_.push_back(std::move(asked));
  }

  static bool is_done(const Asked& asked) {
    return (!asked.write || asked.write->done()) &&
           std::all_of(asked.transactions.begin(), asked.transactions.end(), [](const auto& task) { return task.done(); });
  }
  void apply(const Asked& asked) {
    for (const auto& [place, item] : asked.after) {
      if (item) model_[place] = *item;
      else model_.erase(place);
    }
  }
  // The answer is the expected one, and the map follows it.
  void take_answer(Asked& asked) {
    bool is_made = false;
    if (asked.write) {
      const auto answer = std::move(*asked.write).take();
      is_made = answer.has_value();
      if (!is_made) ASSERT_EQ(answer.error().why, Refusal::kConditionFailed);
    }
    for (auto& task : asked.transactions) is_made = std::move(task).take().has_value() || is_made;
    ASSERT_EQ(is_made, !asked.is_refused);
    if (is_made) apply(asked);
  }
  void collect() {
    for (std::size_t i = 0; i < asked_.size();) {
      if (!is_done(asked_[i])) {
        ++i;
        continue;
      }
      take_answer(asked_[i]);
      asked_.erase(asked_.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  void tick() {
    machine_.step();
    collect();
  }
  void finish() {
    ASSERT_TRUE(machine_.run_until([&] { return std::all_of(asked_.begin(), asked_.end(), is_done); }));
    collect();
  }

  // Whatever ended in an earlier second goes; the rest stays.
  void forget_ended() {
    if (table()->expiry_attribute.empty()) return;
    std::erase_if(model_, [&](const auto& entry) {
      const auto ends = entry.second.find("ends");
      return ends != entry.second.end() && std::stoll(ends->second.text()) < seconds();
    });
  }
  void pass_time() {
    finish();
    machine_.advance(Duration(static_cast<std::int64_t>(random_.below(400'000'000))));
    if (random_.below(4) == 0) return crash();
    settle();
    forget_ended();
    check();
  }
  void change_table() {
    const bool turns_expiry = random_.below(2);
    if (turns_expiry) finish();  // an item that ends at once would be missed by those that change it
    const bool has_second = table()->find_index("second") != nullptr;
    machine_.enter_any();
    auto changing = tables_->change("1", "r", "t", [&](TableDefinition& definition) {
      if (turns_expiry) definition.expiry_attribute = definition.expiry_attribute.empty() ? "ends" : "";
      else if (!has_second) definition.indexes.push_back(by_kind("second"));
      else std::erase_if(definition.indexes, [](const auto& index) { return index.name == "second"; });
      return std::string();
    });
    if (random_.below(2)) {
      for (auto n = random_.below(8); n > 0; --n) tick();
      std::vector<Asked> unknown = reboot();
      ASSERT_TRUE(std::move(changing).take().has_value());
      return find_out(std::move(unknown));
    }
    while (!changing.done()) {
      if (!turns_expiry && random_.below(4) == 0) issue_write();
      if (!turns_expiry && random_.below(4) == 0) issue_transaction();
      tick();
    }
    ASSERT_TRUE(std::move(changing).take().has_value());
    if (turns_expiry) wait_for_background();
  }
  // Filling an index, or finding what expires.
  void wait_for_background() {
    settle();
    forget_ended();
  }

  void crash() {
    find_out(reboot());
  }
  void find_out(std::vector<Asked> unknown) {
    for (Asked& asked : unknown) find_out(asked);
    wait_for_background();
    check();
  }
  // What had no answer when the machine crashed.
  std::vector<Asked> reboot() {
    machine_.crash_soon();
    while (!machine_.has_crashed()) {
      collect();
      machine_.step();
    }
    // The tasks run out on the machine that is gone; their answers reach nobody.
    EXPECT_TRUE(machine_.run_until([&] { return std::all_of(asked_.begin(), asked_.end(), is_done); }));
    std::vector<Asked> unknown = std::exchange(asked_, {});
    stop();
    machine_.restart();
    start();
    return unknown;
  }
  // What was asked for and not answered was done wholly or not at all; asked again, a transaction is done once.
  void find_out(Asked& asked) {
    bool was_made = !asked.is_refused;
    for (const auto& [place, item] : asked.after) was_made = was_made && tables_->get(*table(), key_of(place)) == item;
    if (was_made) apply(asked);
    if (asked.transactions.empty() || asked.is_refused) return;
    for (Write& write : asked.writes) write.table = table();
    machine_.enter_any();
    ASSERT_TRUE(machine_.run(tables_->transact(asked.writes, asked.token)).has_value());
    apply(asked);
  }

  // All pages of a read of some limit, and the items in them.
  std::vector<AttributeMap> pages(const IndexDefinition* index, bool forward) {
    const TablePtr now = table();
    const std::string prefix = space_prefix(now->id, index ? index->number : 0);
    Read read{.table = now, .index = index, .from = prefix, .to = after_prefix(prefix), .forward = forward, .limit = 1 + random_.below(7)};
    std::vector<AttributeMap> out;
    for (;;) {
      const Page page = tables_->read(read);
      EXPECT_LE(page.items.size(), read.limit);
      out.insert(out.end(), page.items.begin(), page.items.end());
      if (!page.last_key || testing::Test::HasFailure()) return out;
      const std::string at = index ? *index_key(now->id, index->number, index->keys, now->keys, *page.last_key)
                                   : item_key(now->id, now->keys, *page.last_key);
      (forward ? read.from : read.to) = forward ? at + '\0' : at;
    }
  }
  static Model by_place(const std::vector<AttributeMap>& items) {
    Model out;
    for (const AttributeMap& item : items)
      EXPECT_TRUE(out.emplace(Place{item.at("pk").text(), std::stoi(item.at("sk").text())}, item).second) << "twice";
    return out;
  }
  static std::string text_of(const Place& place, const AttributeMap& item) {
    std::string out = place.first + std::to_string(place.second);
    for (const auto& [name, value] : item) out.append(" ").append(name).append("=").append(value.text());
    return out;
  }
  void check() {
    if (testing::Test::HasFailure() || !asked_.empty()) return;
    const Model stored = by_place(pages(nullptr, random_.below(2)));
    for (const auto& [place, item] : stored)
      ASSERT_TRUE(model_.contains(place) && model_.at(place) == item) << text_of(place, item) << " at " << seconds();
    for (const auto& [place, item] : model_) ASSERT_TRUE(stored.contains(place)) << text_of(place, item) << " at " << seconds();
    Model kinds;
    std::int64_t bytes = 0;
    for (const auto& [place, item] : model_) {
      bytes += static_cast<std::int64_t>(item_size(item));
      if (item.contains("kind")) kinds.emplace(place, item);
    }
    for (const IndexDefinition& index : table()->indexes)
      if (!index.is_backfilling) ASSERT_EQ(by_place(pages(&index, random_.below(2))), kinds) << index.name;
    // Nothing is left behind by an index that went.
    std::vector<std::string> spaces = {space_prefix(table()->id, 0)};
    for (const IndexDefinition& index : table()->indexes) spaces.push_back(space_prefix(table()->id, index.number));
    const auto cursor = machine_.kv().cursor();
    for (cursor->seek("T"); cursor->valid() && cursor->key().starts_with('T'); cursor->next())
      ASSERT_TRUE(std::any_of(spaces.begin(), spaces.end(), [&](const auto& space) { return cursor->key().starts_with(space); }));
    ASSERT_EQ(tables_->counters(*table()).items, static_cast<std::int64_t>(model_.size()));
    ASSERT_EQ(tables_->counters(*table()).bytes, bytes);
  }

  store::SimulatedMachine machine_;
  Random& random_;
  std::unique_ptr<Tables> tables_;
  Model model_;
  std::vector<Asked> asked_;
  int written_ = 0;
  const Condition exists_{.op = Condition::Op::kExists, .operands = {Operand{.path = {{.name = "pk"}}}}};
  const Condition missing_{.op = Condition::Op::kNotExists, .operands = {Operand{.path = {{.name = "pk"}}}}};
  const AttributeMap values_ = {{":zero", V::number("0")}, {":one", V::number("1")}};
  const Placeholders::Names names_ = {{"#c", "count"}};
  Placeholders placeholders_{&names_, &values_};
  const Update count_up_ = *parse_update("SET #c = if_not_exists(#c, :zero) + :one REMOVE kind", placeholders_);
};

TEST(TableSimulation, SurvivesCrashesAtAnyPoint) {
  log::set_level(log::Level::kError);  // torn tails are no news here
  const store::SimulationSeeds seeds(12);
  for (std::uint64_t seed = seeds.first; seed < seeds.end && !HasFailure(); ++seed) {
    SCOPED_TRACE(testing::Message() << "ATOLL_SIMULATION_FIRST=" << seed);
    TableSimulation(seed).go(250);
  }
}

}  // namespace
}  // namespace reef::table
