#include "engine/blob/blobs.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "base/random.h"
#include "engine/store/journal.h"
#include "engine/store/memory_records.h"

namespace reef::blob {
namespace {

class BlobsTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("atoll-blobs-" + make_uuid(thread_random()));
    clock_.freeze();
    reactor_ = std::make_unique<io::Reactor>(clock_);
    shard_ = std::make_unique<store::Shard>(0, *reactor_);
    shard_->adopt_thread();
    auto journal = *store::Journal::open(folder_ + "/journal", store::Durability::kProcess);
    auto records = std::make_unique<store::MemoryRecords>(journal.get());
    ASSERT_TRUE(journal->recover().has_value());
    shard_->attach(std::move(journal), std::move(records));
    kv_ = store::make_memory_kv();
    blobs_ = std::make_unique<Blobs>(*kv_, folder_ + "/blobs", store::Durability::kProcess);
    blobs_->start();
    Bucket bucket;
    bucket.account = "1";
    bucket.name = "photos";
    bucket_ = *run(blobs_->create_bucket(std::move(bucket)));
  }
  void TearDown() override {
    blobs_.reset();
    shard_.reset();
    reactor_.reset();
    std::filesystem::remove_all(folder_);
  }
  template <class T>
  T run(Task<T> task) {
    while (!task.done()) reactor_->run_once(1ms);
    return std::move(task).take();
  }
  Result<Object, Refusal> put(std::string key, std::string bytes, Precondition precondition = {}) {
    PutRequest request{.bucket = bucket_, .key = std::move(key)};
    NewData data = blobs_->data().writer();
    EXPECT_TRUE(data.append(bytes).has_value());
    EXPECT_TRUE(data.finish().has_value());
    request.object.size = bytes.size();
    request.object.etag = std::to_string(bytes.size());
    request.data.push_back(std::move(data));
    request.precondition = std::move(precondition);
    return run(blobs_->put(std::move(request)));
  }
  std::string read(const Object& object) {
    std::string out;
    for (const Segment& segment : all_segments(object))
      EXPECT_TRUE(blobs_->data().read(segment, 0, segment.size, [&](std::string_view bytes) {
        out += bytes;
        return Result<void, Failure>();
      }).has_value());
    return out;
  }
  std::size_t files() {
    std::size_t count = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder_ + "/blobs"))
      count += entry.is_regular_file();
    return count;
  }
  // As a crash leaves one: in its place, and no record names it.
  std::string plant(std::string id) {
    std::string path = blobs_->data().path_of({.id = std::move(id)});
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << "left";
    return path;
  }
  std::size_t search(Time began, OrphanPace pace = {.pause = Duration(0), .slice = 1, .round_max = 2}) {
    OrphanSearch orphans(*kv_, blobs_->data(), began, pace);
    return run(orphans.run());
  }
  void set_versioning(Versioning versioning) {
    ASSERT_TRUE(run(blobs_->change_bucket("photos", [&](Bucket& bucket) { bucket.versioning = versioning; })).has_value());
  }
  std::vector<std::string> keys(const ListPage& page) {
    std::vector<std::string> out;
    for (const Listed& listed : page.entries) out.push_back(listed.key);
    return out;
  }

  std::string folder_;
  io::SystemClock clock_;
  std::unique_ptr<io::Reactor> reactor_;
  std::unique_ptr<store::Shard> shard_;
  std::unique_ptr<store::Kv> kv_;
  std::unique_ptr<Blobs> blobs_;
  BucketPtr bucket_;
};

using Keys = std::vector<std::string>;

}  // namespace

TEST_F(BlobsTest, KeepsSmallAndLargeObjects) {
  const std::string large(kInlineBytesMax + 1, 'x');
  ASSERT_TRUE(put("small", "abc").has_value());
  ASSERT_TRUE(put("large", large).has_value());
  EXPECT_EQ(read(*blobs_->find(*bucket_, "small")), "abc");
  EXPECT_EQ(read(*blobs_->find(*bucket_, "large")), large);
  EXPECT_EQ(files(), 1u);
  ASSERT_TRUE(put("large", large + "y").has_value());
  EXPECT_EQ(files(), 1u);
  ASSERT_TRUE(run(blobs_->erase(bucket_, "large", std::nullopt)).has_value());
  EXPECT_EQ(files(), 0u);
  EXPECT_FALSE(blobs_->find(*bucket_, "large").has_value());
}

TEST_F(BlobsTest, RefusesWhatItsPreconditionsForbid) {
  ASSERT_TRUE(put("a", "1", {.must_be_absent = true}).has_value());
  EXPECT_EQ(put("a", "2", {.must_be_absent = true}).error(), Refusal::kPreconditionFailed);
  EXPECT_EQ(put("a", "2", {.etag = "9"}).error(), Refusal::kPreconditionFailed);
  EXPECT_EQ(put("b", "2", {.etag = "9"}).error(), Refusal::kNoSuchKey);
  EXPECT_TRUE(put("a", "22", {.etag = "1"}).has_value());
}

TEST_F(BlobsTest, KeepsVersionsAndDeleteMarkers) {
  ASSERT_TRUE(put("k", "old").has_value());
  set_versioning(Versioning::kEnabled);
  const std::string first = put("k", "one")->version_id, second = put("k", "two!")->version_id;
  EXPECT_NE(first, second);
  EXPECT_EQ(read(*blobs_->find(*bucket_, "k")), "two!");
  EXPECT_EQ(read(*blobs_->find(*bucket_, "k", "null")), "old");
  const Erased erased = *run(blobs_->erase(bucket_, "k", std::nullopt));
  EXPECT_TRUE(erased.is_delete_marker);
  EXPECT_TRUE(blobs_->find(*bucket_, "k")->is_delete_marker);
  EXPECT_TRUE(blobs_->list({.bucket = bucket_}).entries.empty());
  EXPECT_EQ(blobs_->list({.bucket = bucket_, .all_versions = true}).entries.size(), 4u);
  ASSERT_TRUE(run(blobs_->erase(bucket_, "k", erased.version_id)).has_value());
  EXPECT_EQ(blobs_->find(*bucket_, "k")->version_id, second);
  set_versioning(Versioning::kSuspended);
  EXPECT_EQ(put("k", "new null")->version_id, "null");
  EXPECT_EQ(blobs_->list({.bucket = bucket_, .all_versions = true}).entries.size(), 3u);
  EXPECT_EQ(run(blobs_->remove_bucket("photos")).error(), Refusal::kBucketNotEmpty);
}

TEST_F(BlobsTest, ListsKeysAndGroupsInPages) {
  for (const char* key : {"a", "b/1", "b/2", "b/c/3", "d", "b0"}) ASSERT_TRUE(put(key, "x").has_value());
  ListRequest request{.bucket = bucket_, .delimiter = "/"};
  ListPage page = blobs_->list(request);
  EXPECT_EQ(keys(page), (Keys{"a", "b0", "d"}));
  EXPECT_EQ(page.groups, Keys{"b/"});
  request.limit = 2;
  page = blobs_->list(request);
  EXPECT_TRUE(page.is_truncated);
  EXPECT_EQ(keys(page), Keys{"a"});
  EXPECT_EQ(page.next, "b/");
  request.after = page.next;
  request.after_group = page.next_is_group;
  page = blobs_->list(request);
  EXPECT_EQ(keys(page), (Keys{"b0", "d"}));
  EXPECT_FALSE(page.is_truncated);
  EXPECT_EQ(keys(blobs_->list({.bucket = bucket_, .prefix = "b/"})), (Keys{"b/1", "b/2", "b/c/3"}));
}

TEST_F(BlobsTest, MakesObjectsOfParts) {
  const Upload upload = *run(blobs_->start_upload(bucket_, "whole", {}));
  const auto part = [&](std::uint16_t number, std::string bytes) {
    NewData data = blobs_->data().writer();
    EXPECT_TRUE(data.append(bytes).has_value() && data.finish().has_value());
    return *run(blobs_->put_part(bucket_, "whole", upload.id, {.number = number, .size = bytes.size()}, std::move(data)));
  };
  part(1, std::string(20'000, 'a'));
  part(2, "left out");
  part(3, "end");
  EXPECT_EQ(blobs_->uploads({.bucket = bucket_}).uploads.size(), 1u);
  PutRequest request{.bucket = bucket_, .key = "whole", .upload_id = upload.id};
  const auto parts = blobs_->parts(upload.id);
  request.object.parts = {parts[0], parts[2]};
  ASSERT_TRUE(run(blobs_->put(std::move(request))).has_value());
  EXPECT_EQ(read(*blobs_->find(*bucket_, "whole")), std::string(20'000, 'a') + "end");
  EXPECT_TRUE(blobs_->parts(upload.id).empty());
  EXPECT_EQ(run(blobs_->abort_upload(bucket_, "whole", upload.id)).error(), Refusal::kNoSuchUpload);
  ASSERT_TRUE(run(blobs_->erase(bucket_, "whole", std::nullopt)).has_value());
  EXPECT_EQ(files(), 0u);
  EXPECT_TRUE(run(blobs_->remove_bucket("photos")).has_value());
}

// Found by the simulation: the new bucket was lost with the record of the old one.
TEST_F(BlobsTest, ABucketMadeWhileItsNameIsFreedStays) {
  auto removing = blobs_->remove_bucket("photos");
  Bucket again;
  again.account = "1";
  again.name = "photos";
  const auto made = run(blobs_->create_bucket(again));
  EXPECT_TRUE(run(std::move(removing)).has_value());
  Blobs restarted(*kv_, folder_ + "/blobs", store::Durability::kProcess);
  restarted.start();
  EXPECT_EQ(restarted.find_bucket("photos") != nullptr, made.has_value());
}

TEST_F(BlobsTest, ABucketThatIsNotEmptyStaysOpen) {
  EXPECT_TRUE(put("a", "x").has_value());
  EXPECT_EQ(run(blobs_->remove_bucket("photos")).error(), Refusal::kBucketNotEmpty);
  EXPECT_TRUE(put("b", "x").has_value());
}

// Found by the simulation: older versions were skipped.
TEST_F(BlobsTest, PagesGoOnAfterAVersionThatIsGone) {
  set_versioning(Versioning::kEnabled);
  std::vector<std::string> ids;
  for (int i = 0; i < 4; ++i) ids.insert(ids.begin(), put("a", std::to_string(i))->version_id);
  ASSERT_TRUE(run(blobs_->erase(bucket_, "a", ids[1])).has_value());
  const ListPage page = blobs_->list({.bucket = bucket_, .after = "a", .after_version = ids[1], .all_versions = true});
  ASSERT_EQ(page.entries.size(), 2u);
  EXPECT_EQ(page.entries[0].object.version_id, ids[2]);
  EXPECT_FALSE(page.entries[0].is_latest);
}

TEST(VersionIds, AreToldFromWhatNeverWasOne) {
  EXPECT_TRUE(is_version_id("null"));
  EXPECT_FALSE(is_version_id(""));
  EXPECT_FALSE(is_version_id("HPniJFCxqTsMuIH9KX8K8wEjNUgmABCD"));
}

TEST_F(BlobsTest, RemovesFilesThatNoRecordNames) {
  const std::string large(kInlineBytesMax + 1, 'x');
  set_versioning(Versioning::kEnabled);
  for (const char* key : {"a", "a", "b", "c"}) ASSERT_TRUE(put(key, large).has_value());
  ASSERT_TRUE(run(blobs_->erase(bucket_, "c", std::nullopt)).has_value());  // its version stays below the marker
  // Parts of an upload that goes on, and of one that became an object.
  for (const char* key : {"going on", "done"}) {
    const Upload upload = *run(blobs_->start_upload(bucket_, key, {}));
    NewData data = blobs_->data().writer();
    ASSERT_TRUE(data.append(large).has_value() && data.finish().has_value());
    ASSERT_TRUE(run(blobs_->put_part(bucket_, key, upload.id, {.number = 1, .size = large.size()}, std::move(data))).has_value());
    if (std::string_view(key) == "done")
      ASSERT_TRUE(run(blobs_->put({.bucket = bucket_, .key = key, .object = {.parts = blobs_->parts(upload.id)}, .upload_id = upload.id})).has_value());
  }
  EXPECT_EQ(files(), 6u);
  for (const char* id : {"00000000000000000000000000000000", "00ffffffffffffffffffffffffffffff", "7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f",
                         "ff000000000000000000000000000000"})
    plant(id);
  const std::string not_ours = plant("ff.notes");
  EXPECT_EQ(search(Time::max()), 4u);
  EXPECT_EQ(files(), 7u);
  EXPECT_TRUE(std::filesystem::exists(not_ours));
  EXPECT_EQ(search(Time::max(), {}), 0u);
  EXPECT_EQ(read(*blobs_->find(*bucket_, "done")), large);
  // A copy shares the bytes of what it was made of, under a name of its own.
  PutRequest copy{.bucket = bucket_, .key = "copy"};
  copy.data.push_back(*blobs_->data().duplicate(blobs_->find(*bucket_, "a")->segments[0]));
  copy.object.size = large.size();
  ASSERT_TRUE(run(blobs_->put(std::move(copy))).has_value());
  EXPECT_EQ(search(Time::max()), 0u);
}

TEST_F(BlobsTest, LeavesFilesThatAreYoungerThanTheProcess) {
  const std::string path = plant("7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f7f");
  EXPECT_EQ(search(from_seconds(0)), 0u);
  EXPECT_TRUE(std::filesystem::exists(path));
  EXPECT_EQ(search(Time::max()), 1u);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(BlobsTest, ASearchThatIsStoppedRemovesNothingMore) {
  for (int i = 0; i < 9; ++i) plant("7" + std::to_string(i) + std::string(30, '0'));
  OrphanSearch orphans(*kv_, blobs_->data(), Time::max(), {.pause = Duration(0), .slice = 1});
  auto task = orphans.run();
  for (int i = 0; i < 14; ++i) reactor_->run_once(0ms);
  orphans.stop();
  const std::size_t left = files();
  EXPECT_GT(left, 0u);
  run(std::move(task));
  EXPECT_EQ(files(), left);
}

TEST_F(BlobsTest, VersionsThatMayNotGoStay) {
  set_versioning(Versioning::kEnabled);
  const std::string id = put("k", "kept")->version_id;
  const Precondition never{.allows = [](const Object&) { return false; }};
  EXPECT_EQ(run(blobs_->erase(bucket_, "k", id, never)).error(), Refusal::kProtected);
  EXPECT_EQ(run(blobs_->change(bucket_, "k", id, [](Object& object) { object.etag = "other"; }, never.allows)).error(), Refusal::kProtected);
  EXPECT_EQ(blobs_->find(*bucket_, "k")->etag, "4");
  EXPECT_TRUE(run(blobs_->erase(bucket_, "k", std::nullopt, never))->is_delete_marker);  // a marker takes nothing away
  EXPECT_TRUE(run(blobs_->erase(bucket_, "k", id))->existed);
}

TEST_F(BlobsTest, AConditionDoesNotHoldForWhatWasWrittenMeanwhile) {
  ASSERT_TRUE(put("k", "one").has_value());
  const auto complete = [&](const Upload& upload, const char* etag) {
    PutRequest request{.bucket = bucket_, .key = "k", .upload_id = upload.id};
    request.precondition.etag = etag;
    return run(blobs_->put(std::move(request)));
  };
  const Upload upload = *run(blobs_->start_upload(bucket_, "k", {}));
  clock_.advance(1s);
  ASSERT_TRUE(put("k", "three").has_value());
  EXPECT_EQ(complete(upload, "3").error(), Refusal::kPreconditionFailed);
  EXPECT_EQ(complete(upload, "5").error(), Refusal::kConflict);
  clock_.advance(1s);
  EXPECT_TRUE(complete(*run(blobs_->start_upload(bucket_, "k", {})), "5").has_value());
}

}  // namespace reef::blob
