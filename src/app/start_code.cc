#include "app/start_code.h"

#include <link.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>

namespace reef::app {

void unmap_start_code() {
  ::dl_iterate_phdr(
      [](dl_phdr_info* program, std::size_t, void*) {
        const auto page = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
        for (int i = 0; i < program->dlpi_phnum; ++i) {
          const auto& segment = program->dlpi_phdr[i];
          if (segment.p_type != PT_LOAD || (segment.p_flags & PF_W)) continue;
          const std::uintptr_t begin = (program->dlpi_addr + segment.p_vaddr + page - 1) / page * page;
          const std::uintptr_t end = (program->dlpi_addr + segment.p_vaddr + segment.p_memsz) / page * page;
          if (end > begin) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);
        }
        return 1;   // the program itself comes first; libraries are shared with others anyway
      },
      nullptr);
}

}  // namespace reef::app
