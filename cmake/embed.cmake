# Files that the binary carries (function runtimes, completion scripts): embedded/<name> becomes a pair of symbols
# that base/embedded.h finds by name.
file(GLOB_RECURSE embedded_files CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/embedded/*)
set(embedded_cc ${CMAKE_BINARY_DIR}/generated/embedded.cc)
add_custom_command(OUTPUT ${embedded_cc}
  COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/embed.py ${CMAKE_SOURCE_DIR}/embedded ${embedded_cc}
  DEPENDS ${embedded_files} ${CMAKE_SOURCE_DIR}/tools/embed.py VERBATIM COMMENT "embedding files")
set(ATOLL_EMBEDDED ${embedded_cc})
