// Buckets on a machine that crashes at any point, against maps: every version that was acknowledged is there with its
// bytes and in its place, nothing else is, uploads are whole or not there, listings leave nothing out.
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/log.h"
#include "engine/blob/blobs.h"
#include "engine/store/simulation.h"

namespace reef::blob {
namespace {

struct Version {
  std::string id, content;
  bool is_marker = false;
};
struct Key {
  std::vector<Version> versions;  // newest first
  std::map<std::string, std::map<int, std::string>> uploads;  // parts by number, by upload id
};
struct Answer {
  bool is_made = false;
  std::string id;  // of the version or upload that was made
};

// Ids that only the engine knows are "?" until it told them.
bool fits(const Version& expected, const Version& found) {
  return (expected.id == "?" || expected.id == found.id) && expected.content == found.content && expected.is_marker == found.is_marker;
}
bool fits(const Key& expected, const Key& found) {
  if (!std::ranges::equal(expected.versions, found.versions, [](const auto& a, const auto& b) { return fits(a, b); })) return false;
  if (expected.uploads.size() != found.uploads.size()) return false;
  for (const auto& [id, parts] : expected.uploads) {
    const auto one = id == "?" ? std::ranges::find_if(found.uploads, [&](const auto& entry) { return !expected.uploads.contains(entry.first); })
                               : found.uploads.find(id);
    if (one == found.uploads.end() || one->second != parts) return false;
  }
  return true;
}

class BlobSimulation {
 public:
  explicit BlobSimulation(std::uint64_t seed) : machine_(seed, 3), random_(machine_.random()) {
    start();
    for (const char* name : {"first", "second"}) {
      Bucket bucket;
      bucket.account = "1";
      bucket.name = name;
      CHECK(machine_.run(blobs_->create_bucket(bucket)).has_value());
      model_[name];
    }
  }
  ~BlobSimulation() {
    end_search();
    finish();
    settle();
  }
  void go(int steps) {
    for (int i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
      switch (random_.below(18)) {
        case 0: case 1: case 2: case 3: issue_put(); break;
        case 4: case 5: issue_erase(); break;
        case 6: case 7: issue_upload_step(); break;
        case 8: issue_upload_step(); break;
        case 9: case 10: case 11: for (auto n = random_.below(5); n > 0; --n) tick(); break;
        case 12: machine_.advance(Duration(static_cast<std::int64_t>(random_.below(3)))); break;
        case 13: finish(); check(); break;
        case 14: change_versioning(); break;
        case 15: crash(); break;
        case 16: churn(); break;
        case 17: begin_search(); break;
      }
    }
    finish();
    check();
    if (!testing::Test::HasFailure()) check_files();
  }

 private:
  struct Search {
    OrphanSearch orphans;
    std::optional<Task<std::size_t>> task;
    Search(store::Kv& kv, const DataFolder& data, std::size_t slice)
        : orphans(kv, data, Time::max(), {.pause = Duration(0), .slice = slice, .round_max = 4}) {}
  };
  struct Asked {
    std::string bucket, key;
    Key after;
    bool is_refused = false;
    Task<Answer> task;
  };

  void start() {
    machine_.shard(0).adopt_thread();
    blobs_ = std::make_unique<Blobs>(machine_.kv(), machine_.disk() / "blobs", store::Durability::kProcess);
    blobs_->start();
  }
  void settle() {
    for (int i = 0; i < 60; ++i) machine_.step();
  }

  // A key that nobody else is writing to: its bucket, name and state.
  std::optional<std::pair<std::string, std::string>> free_key() {
    static constexpr const char* kKeys[] = {"a", "a/b", "a/c", "b/\x01", "b", "c/d/e"};
    std::pair<std::string, std::string> place{random_.below(2) ? "first" : "second", kKeys[random_.below(std::size(kKeys))]};
    for (const Asked& one : asked_)
      if (one.bucket == place.first && one.key == place.second) return std::nullopt;
    return place;
  }
  std::string content() {
    const std::size_t size = random_.below(6) ? random_.below(30) : kInlineBytesMax + random_.below(10);
    return std::string(size, 'x') + (random_.below(20) ? std::to_string(++written_) : std::string());
  }
  NewData data(const std::string& bytes) {
    NewData out = blobs_->data().writer();
    EXPECT_TRUE(out.append(bytes).has_value());
    EXPECT_TRUE(out.finish().has_value());
    return out;
  }
  BucketPtr bucket(const std::string& name) const { return blobs_->find_bucket(name); }

  // What a new version does to the others.
  void add_version(Key& key, const std::string& bucket_name, Version version) {
    version.id = bucket(bucket_name)->versioning == Versioning::kEnabled ? "?" : "null";
    if (version.id == "null") std::erase_if(key.versions, [](const Version& one) { return one.id == "null"; });
    key.versions.insert(key.versions.begin(), std::move(version));
  }

  static Task<Answer> put(Blobs& blobs, PutRequest request) {
    const auto made = co_await blobs.put(std::move(request));
    co_return Answer{made.has_value(), made ? made->version_id : std::string()};
  }
  static Task<Answer> erase(Blobs& blobs, BucketPtr bucket, std::string key, std::optional<std::string> version) {
    const auto made = co_await blobs.erase(std::move(bucket), std::move(key), std::move(version));
    co_return Answer{made.has_value(), made ? made->version_id : std::string()};
  }
  static Task<Answer> start_upload(Blobs& blobs, BucketPtr bucket, std::string key) {
    const auto made = co_await blobs.start_upload(std::move(bucket), std::move(key), {});
    co_return Answer{made.has_value(), made ? made->id : std::string()};
  }
  static Task<Answer> put_part(Blobs& blobs, BucketPtr bucket, std::string key, std::string id, Part part, NewData data) {
    const auto made = co_await blobs.put_part(std::move(bucket), std::move(key), std::move(id), std::move(part), std::move(data));
    co_return Answer{made.has_value(), {}};
  }
  static Task<Answer> abort(Blobs& blobs, BucketPtr bucket, std::string key, std::string id) {
    const auto made = co_await blobs.abort_upload(std::move(bucket), std::move(key), std::move(id));
    co_return Answer{made.has_value(), {}};
  }

  void ask(const std::pair<std::string, std::string>& place, Key after, bool is_refused, Task<Answer> task) {
    asked_.push_back({place.first, place.second, std::move(after), is_refused, std::move(task)});
  }
  void issue_put() {
    const auto place = free_key();
    if (!place) return;
    Key after = model_[place->first][place->second];
    const std::string bytes = content();
    PutRequest request{.bucket = bucket(place->first), .key = place->second};
    request.data.push_back(data(bytes));
    request.object.size = bytes.size();
    const bool exists = !after.versions.empty() && !after.versions[0].is_marker;
    request.precondition.must_be_absent = random_.below(4) == 0;
    const bool is_refused = request.precondition.must_be_absent && exists;
    add_version(after, place->first, {.content = bytes});
    machine_.enter_any();
    ask(*place, std::move(after), is_refused, put(*blobs_, std::move(request)));
  }
  void issue_erase() {
    const auto place = free_key();
    if (!place) return;
    Key after = model_[place->first][place->second];
    std::optional<std::string> version;
    if (random_.below(2) && !after.versions.empty()) {
      const auto one = after.versions.begin() + static_cast<std::ptrdiff_t>(random_.below(after.versions.size()));
      version = one->id;
      after.versions.erase(one);
    } else if (bucket(place->first)->versioning == Versioning::kOff) {
      if (!after.versions.empty()) after.versions.erase(after.versions.begin());
    } else {
      add_version(after, place->first, {.is_marker = true});
    }
    machine_.enter_any();
    ask(*place, std::move(after), false, erase(*blobs_, bucket(place->first), place->second, version));
  }
  // The next thing to do with the uploads of a key: begin one, add a part, complete or abort it.
  void issue_upload_step() {
    const auto place = free_key();
    if (!place) return;
    Key after = model_[place->first][place->second];
    const BucketPtr in = bucket(place->first);
    machine_.enter_any();
    if (after.uploads.empty() || random_.below(8) == 0) {
      after.uploads["?"];
      return ask(*place, std::move(after), false, start_upload(*blobs_, in, place->second));
    }
    const std::string id = after.uploads.begin()->first;
    auto& parts = after.uploads.begin()->second;
    if (const auto what = random_.below(8); what < 5 || parts.empty()) {
      const std::string bytes = content();
      Part part;
      part.number = static_cast<std::uint16_t>(1 + random_.below(4));
      part.size = bytes.size();
      parts[part.number] = bytes;
      ask(*place, std::move(after), false, put_part(*blobs_, in, place->second, id, part, data(bytes)));
    } else if (what == 5) {
      after.uploads.erase(id);
      ask(*place, std::move(after), false, abort(*blobs_, in, place->second, id));
    } else {
      PutRequest request{.bucket = in, .key = place->second, .upload_id = id};
      std::string whole;
      for (const Part& part : blobs_->parts(id)) {
        if (random_.below(4) == 0) continue;  // a part that is left out goes
        request.object.parts.push_back(part);
        request.object.size += part.size;
        whole += parts.at(part.number);
      }
      after.uploads.erase(id);
      add_version(after, place->first, {.content = whole});
      ask(*place, std::move(after), false, put(*blobs_, std::move(request)));
    }
  }

  void collect() {
    for (std::size_t i = 0; i < asked_.size();) {
      if (!asked_[i].task.done()) {
        ++i;
        continue;
      }
      Asked asked = std::move(asked_[i]);
      asked_.erase(asked_.begin() + static_cast<std::ptrdiff_t>(i));
      const Answer answer = std::move(asked.task).take();
      ASSERT_EQ(answer.is_made, !asked.is_refused);
      if (!answer.is_made) continue;
      for (Version& version : asked.after.versions)
        if (version.id == "?") version.id = answer.id;
      if (auto node = asked.after.uploads.extract("?")) {
        node.key() = answer.id;
        asked.after.uploads.insert(std::move(node));
      }
      model_[asked.bucket][asked.key] = std::move(asked.after);
    }
  }
  void tick() {
    machine_.step();
    collect();
  }
  void finish() {
    ASSERT_TRUE(machine_.run_until([&] { return std::ranges::all_of(asked_, [](const Asked& one) { return one.task.done(); }); }));
    collect();
  }
  void change_versioning() {
    if (random_.below(3)) return;
    finish();
    if (random_.below(4) == 0) return empty(random_.below(2) ? "first" : "second");
    const auto versioning = random_.below(2) ? Versioning::kEnabled : Versioning::kSuspended;
    ASSERT_TRUE(machine_.run(blobs_->change_bucket("first", [&](Bucket& bucket) { bucket.versioning = versioning; })).has_value());
  }
  static Task<Answer> create(Blobs& blobs, Bucket bucket) {
    const auto made = co_await blobs.create_bucket(std::move(bucket));
    co_return Answer{made.has_value(), made ? std::to_string((*made)->id) : std::string()};
  }
  static Task<Answer> remove(Blobs& blobs) {
    const auto made = co_await blobs.remove_bucket("third");
    co_return Answer{made.has_value(), {}};
  }
  // A bucket is made, filled and removed by several at a time: what was put stays until it is erased, and the bucket
  // as long.
  void churn() {
    std::vector<Task<Answer>> tasks;
    std::optional<std::size_t> put_at;
    for (int i = 0; i < 6; ++i) {
      machine_.enter_any();
      const BucketPtr now = bucket("third");
      if (random_.below(3) == 0 && now && !put_at) {
        put_at = tasks.size();
        PutRequest request{.bucket = now, .key = "k"};
        request.data.push_back(data("content"));
        request.object.size = 7;
        tasks.push_back(put(*blobs_, std::move(request)));
      } else if (random_.below(2)) {
        tasks.push_back(remove(*blobs_));
      } else {
        Bucket third;
        third.account = "1";
        third.name = "third";
        tasks.push_back(create(*blobs_, third));
      }
      for (auto n = random_.below(8); n > 0; --n) tick();
    }
    ASSERT_TRUE(machine_.run_until([&] { return std::ranges::all_of(tasks, [](const auto& task) { return task.done(); }); }));
    std::vector<Answer> answers;
    for (auto& task : tasks) answers.push_back(std::move(task).take());
    const BucketPtr now = bucket("third");
    if (put_at && answers[*put_at].is_made) {
      ASSERT_NE(now, nullptr);
      ASSERT_TRUE(blobs_->find(*now, "k").has_value());
      ASSERT_EQ(machine_.run(blobs_->remove_bucket("third")).error(), Refusal::kBucketNotEmpty);
      if (random_.below(2)) crash();
      if (HasFailure()) return;
      ASSERT_TRUE(blobs_->find(*bucket("third"), "k").has_value());
      ASSERT_TRUE(machine_.run(blobs_->erase(bucket("third"), "k", std::nullopt)).has_value());
    } else if (now) {
      ASSERT_FALSE(blobs_->find(*now, "k").has_value());
      if (random_.below(2)) crash();
      if (HasFailure()) return;
      ASSERT_NE(bucket("third"), nullptr);
    }
  }
  // Looks for files without a record while others write. Whatever the file system's clock says: none is too young.
  void begin_search() {
    if (search_ && !search_->task->done()) return;
    machine_.shard(0).adopt_thread();
    search_ = std::make_unique<Search>(machine_.kv(), blobs_->data(), 1 + random_.below(4));
    search_->task = search_->orphans.run();
  }
  void end_search() {
    if (!search_) return;
    ASSERT_TRUE(machine_.run_until([&] { return search_->task->done(); }));
    search_.reset();
  }
  // After a search each file has its record, and each record its file.
  void check_files() {
    begin_search();
    end_search();
    std::set<std::string> named, found;
    const auto cursor = machine_.kv().cursor();
    for (cursor->seek("O"); cursor->valid() && cursor->key().front() <= 'P'; cursor->next()) {
      const auto object = cursor->key().front() == 'O' ? read_object(cursor->value()) : std::nullopt;
      const auto part = cursor->key().front() == 'P' ? read_part(cursor->value()) : std::nullopt;
      for (const Segment& segment : object ? all_segments(*object) : part->segments)
        if (!segment.is_inline) named.insert(segment.id);
    }
    std::error_code ignored;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(machine_.disk() / "blobs", ignored))
      if (entry.is_regular_file()) found.insert(entry.path().filename());
    ASSERT_EQ(found, named);
  }
  static bool HasFailure() { return testing::Test::HasFailure(); }
  void crash() {
    machine_.crash_soon();
    while (!machine_.has_crashed()) {
      collect();
      machine_.step();
    }
    std::vector<Asked> unknown = std::exchange(asked_, {});
    ASSERT_TRUE(machine_.run_until([&] { return std::ranges::all_of(unknown, [](const Asked& one) { return one.task.done(); }); }));
    if (search_) search_->orphans.stop();
    end_search();
    settle();
    const BucketPtr before = bucket("first");
    blobs_.reset();
    machine_.restart();
    start();
    ASSERT_EQ(bucket("first")->versioning, before->versioning);
    // What was asked for and not answered was done wholly or not at all.
    for (const Asked& asked : unknown) {
      Key& now = model_[asked.bucket][asked.key];
      Key found = stored()[asked.bucket][asked.key];
      ASSERT_TRUE(fits(now, found) || (!asked.is_refused && fits(asked.after, found))) << asked.bucket << " " << asked.key;
      now = std::move(found);
    }
    check();
    if (!HasFailure() && random_.below(2)) check_files();
  }

  std::string read(const Object& object) {
    std::string out;
    for (const Segment& segment : all_segments(object)) out += read(segment);
    EXPECT_EQ(out.size(), object.size);
    return out;
  }
  std::string read(const Segment& segment) {
    std::string out;
    EXPECT_TRUE(blobs_->data().read(segment, 0, segment.size, [&](std::string_view bytes) {
      out += bytes;
      return Result<void, Failure>();
    }).has_value());
    return out;
  }
  std::vector<Listed> list(const std::string& name, bool all_versions) {
    ListRequest request{.bucket = bucket(name), .limit = 1 + random_.below(4), .all_versions = all_versions};
    std::vector<Listed> out;
    for (;;) {
      ListPage page = blobs_->list(request);
      EXPECT_LE(page.entries.size(), request.limit);
      for (Listed& one : page.entries) {
        EXPECT_EQ(one.is_latest, out.empty() || out.back().key != one.key);
        out.push_back(std::move(one));
      }
      if (!page.is_truncated || testing::Test::HasFailure()) return out;
      request.after = page.next;
      if (all_versions) request.after_version = page.next_version;
    }
  }
  // Everything there is, as the engine tells it.
  std::map<std::string, std::map<std::string, Key>> stored() {
    std::map<std::string, std::map<std::string, Key>> out;
    for (const char* name : {"first", "second"}) {
      for (const Listed& one : list(name, true))
        out[name][one.key].versions.push_back({one.object.version_id, read(one.object), one.object.is_delete_marker});
      ListRequest request{.bucket = bucket(name)};
      for (const Upload& upload : blobs_->uploads(request).uploads) {
        auto& parts = out[name][upload.key].uploads[upload.id];
        for (const Part& part : blobs_->parts(upload.id)) parts[part.number] = read(part.segments.at(0));
      }
    }
    return out;
  }
  // Erasing what was listed, page by page, leaves nothing.
  void empty(const std::string& name) {
    finish();
    ListRequest request{.bucket = bucket(name), .limit = 1 + random_.below(4), .all_versions = true};
    for (bool more = true; more;) {
      const ListPage page = blobs_->list(request);
      for (const Listed& one : page.entries)
        ASSERT_TRUE(machine_.run(blobs_->erase(request.bucket, one.key, one.object.version_id)).has_value());
      more = page.is_truncated;
      request.after = page.next;
      request.after_version = page.next_version;
    }
    for (auto& [key, state] : model_[name]) state.versions.clear();
    check();
  }
  void check() {
    if (testing::Test::HasFailure() || !asked_.empty()) return;
    auto found = stored();
    for (auto& [name, keys] : model_) {
      std::vector<std::string> current;
      for (auto& [key, state] : keys) {
        ASSERT_TRUE(fits(state, found[name][key])) << name << " " << key;
        const bool shows = !state.versions.empty() && !state.versions[0].is_marker;
        if (shows) current.push_back(key);
        const auto newest = blobs_->find(*bucket(name), key);
        ASSERT_EQ(newest.has_value(), !state.versions.empty());
        if (newest) ASSERT_EQ(newest->version_id, state.versions[0].id);
      }
      ASSERT_EQ(found[name].size(), keys.size());
      std::vector<std::string> listed;
      for (const Listed& one : list(name, false)) listed.push_back(one.key);
      ASSERT_EQ(listed, current);
    }
  }

  store::SimulatedMachine machine_;
  Random& random_;
  std::unique_ptr<Blobs> blobs_;
  std::map<std::string, std::map<std::string, Key>> model_;
  std::vector<Asked> asked_;
  std::unique_ptr<Search> search_;
  int written_ = 0;
};

TEST(BlobSimulation, SurvivesCrashesAtAnyPoint) {
  log::set_level(log::Level::kError);  // torn tails are no news here
  const store::SimulationSeeds seeds(6);
  for (std::uint64_t seed = seeds.first; seed < seeds.end && !HasFailure(); ++seed) {
    SCOPED_TRACE(testing::Message() << "ATOLL_SIMULATION_FIRST=" << seed);
    BlobSimulation(seed).go(250);
  }
}

}  // namespace
}  // namespace reef::blob
