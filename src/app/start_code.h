// The code that only starting runs.
#pragma once

namespace reef::app {

// Takes it out of the process's memory: of some 30 MB of code most is touched once, when services and their tables are made.
// What is called again comes back from the page cache; what was written (relocations) is not touched. A debugger's
// breakpoints that were set before go, too.
void unmap_start_code();

}  // namespace reef::app
