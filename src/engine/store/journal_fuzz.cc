#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "engine/store/journal.h"
#include "engine/store/memory_records.h"

// A folder whose segment was damaged in any way opens or refuses to; it never crashes or hangs.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  namespace fs = std::filesystem;
  namespace store = reef::store;
  if (size < 4) return 0;
  static const std::string folder = (fs::temp_directory_path() / ("atoll-journal-fuzz-" + std::to_string(::getpid()))).string();
  fs::remove_all(folder);
  {
    auto journal = store::Journal::open(folder, store::Durability::kProcess);
    if (!journal) return 0;
    store::MemoryRecords records(journal->get());
    if (!(*journal)->recover()) return 0;
    records.put("a", "one");
    records.put("b", "two");
    (*journal)->commit();
  }
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() != ".log") continue;
    std::fstream file(entry.path(), std::ios::binary | std::ios::in | std::ios::out);
    file.seekp((data[0] | data[1] << 8) % 128);
    file.write(reinterpret_cast<const char*>(data + 2), static_cast<std::streamsize>(size - 2));
  }
  if (auto journal = store::Journal::open(folder, store::Durability::kProcess)) {
    store::MemoryRecords records(journal->get());
    (void)(*journal)->recover();
  }
  return 0;
}
