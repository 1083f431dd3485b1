#include "app/storage.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <thread>

#include <fmt/format.h>

#include "engine/store/journal.h"
#include "engine/store/memory_records.h"
#include "wire/json.h"

namespace reef::app {
namespace {

constexpr int kFormat = 1;
constexpr std::size_t kShardsMax = 8;

// The number of shards that the folder was made with; writes it when the folder is new.
Result<std::size_t, Failure> read_or_write_meta(const std::string& folder, std::size_t wanted) {
  const std::string path = folder + "/meta.json";
  std::ifstream in(path);
  if (!in) {
    const std::string text = wire::Json::object({{"format", kFormat}, {"shards", wanted}}).pretty() + "\n";
    std::ofstream(path + ".new") << text;
    if (::rename((path + ".new").c_str(), path.c_str()) != 0) return Err(io::last_error("write " + path));
    return wanted;
  }
  const auto meta = wire::Json::parse(std::string(std::istreambuf_iterator<char>(in), {}));
  if (!meta) return Err(Failure{path + " is damaged: " + meta.error().message});
  if ((*meta)["format"].as_int() != kFormat)
    return Err(Failure{fmt::format("{} has format version {}, and this build knows {}: use the build that wrote it, or another --data folder",
                                   path, (*meta)["format"].scalar_text().value_or("?"), kFormat)});
  return static_cast<std::size_t>(std::clamp<std::int64_t>((*meta)["shards"].as_int().value_or(1), 1, 1024));
}

}  // namespace

Result<std::unique_ptr<Storage>, Failure> Storage::open(const Config& config, io::SystemClock& clock) {
  auto storage = std::make_unique<Storage>();
  storage->folder = config.data;
  std::error_code error;
  std::filesystem::create_directories(config.data, error);
  if (error) return Err(Failure{fmt::format("create {}: {}", config.data, error.message()), error.value()});
  ::chmod(config.data.c_str(), 0700);
  storage->lock_ = io::Fd(::open((config.data + "/lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!storage->lock_) return Err(io::last_error("open " + config.data + "/lock"));
  if (::flock(storage->lock_.get(), LOCK_EX | LOCK_NB) != 0)
    return Err(Failure{fmt::format("{} is in use by a running atoll: stop it with `atoll stop --data {}`, or choose another --data folder",
                                   config.data, config.data)});
  std::size_t wanted = config.shards ? config.shards : std::min<std::size_t>(std::max(1u, std::thread::hardware_concurrency()), kShardsMax);
  const std::size_t count = TRY(read_or_write_meta(config.data, wanted));
  for (std::size_t i = 0; i < count; ++i) {
    storage->reactors.push_back(std::make_unique<io::Reactor>(clock));
    storage->shards.push_back(std::make_unique<store::Shard>(i, *storage->reactors.back()));
    auto journal = TRY(store::Journal::open(fmt::format("{}/shard-{}", config.data, i), config.durability));
    auto records = std::make_unique<store::MemoryRecords>(journal.get());
    storage->shards.back()->attach(std::move(journal), std::move(records));
  }
  storage->kv = store::make_rocksdb_kv(config.data + "/kv", config.durability);
  return storage;
}

Result<void, Failure> Storage::recover() {
  for (const auto& shard : shards) TRY(shard->journal().recover());
  return {};
}

void Storage::close() {
  for (const auto& shard : shards) shard->journal().checkpoint_now();
  kv->close();
}

void Storage::reset_shard(std::size_t index) { shards[index]->journal().reset(); }

}  // namespace reef::app
