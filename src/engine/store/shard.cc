#include "engine/store/shard.h"

#include <algorithm>

#include "base/digest.h"
#include "engine/store/journal.h"
#include "engine/store/records.h"

namespace reef::store {
namespace {
thread_local Shard* current_shard = nullptr;
std::vector<Shard*>& all_shards() {
  static std::vector<Shard*> shards;
  return shards;
}
}  // namespace

Shard::Shard(std::size_t index, io::Reactor& reactor) : index_(index), reactor_(reactor) {
  CHECK(all_shards().size() == index);
  all_shards().push_back(this);
  reactor_.at_tick_end([this] { commit(); });
}

Shard::~Shard() {
  std::erase(all_shards(), this);
  if (current_shard == this) current_shard = nullptr;
}

Shard* Shard::current_or_null() { return current_shard; }
Shard& Shard::current() {
  CHECK(current_shard != nullptr);
  return *current_shard;
}
Shard& Shard::control() { return *all_shards().front(); }
Shard& Shard::at(std::size_t index) { return *all_shards().at(index); }
std::size_t Shard::count() { return all_shards().size(); }
Shard& Shard::owner_of(std::string_view key) { return *all_shards()[crc32c(key) % all_shards().size()]; }

void Shard::adopt_thread() { current_shard = this; }

void Shard::attach(std::unique_ptr<Journal> journal, std::unique_ptr<Records> records) {
  journal_ = std::move(journal);
  records_ = std::move(records);
  journal_->set_shard(this);
}

void Shard::dirty(Committer& committer) {
  if (std::find(dirty_.begin(), dirty_.end(), &committer) == dirty_.end()) dirty_.push_back(&committer);
}

void Shard::commit() {
  // Those who go on after a commit often write again; a few rounds here save a pass through epoll each, and the
  // bound keeps one shard's pipeline from starving its sockets.
  for (int round = 0; round < 8 && (!dirty_.empty() || !waiting_commit_.empty()); ++round) {
    std::vector<Committer*> committers;
    committers.swap(dirty_);
    for (Committer* committer : committers) committer->commit();
    std::vector<std::coroutine_handle<>> ready;
    ready.swap(waiting_commit_);
    for (const auto waiter : ready) waiter.resume();
  }
  if (!dirty_.empty() || !waiting_commit_.empty()) reactor_.do_not_wait();
  if (journal_) journal_->checkpoint_if_due();
}

}  // namespace reef::store
