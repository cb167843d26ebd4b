# What every translation unit of this repository is compiled with. Nothing here reaches a user's project: what
# a user inherits is stated in library.cmake.
#
#   tandem_compile_options   flags for all of our own code (library, tests, benchmarks, lab)
#   tandem_library_options   in addition, what only the library's own sources need

find_package(Threads REQUIRED)

if(TANDEM_USE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(TANDEM_CCACHE ccache)
  mark_as_advanced(TANDEM_CCACHE)
  if(TANDEM_CCACHE)
    # The liberties that precompiled headers need: they are compared by contents, not by the time of their files.
    set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env
        CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime "${TANDEM_CCACHE}")
  endif()
endif()

add_library(tandem_compile_options INTERFACE)
target_compile_features(tandem_compile_options INTERFACE cxx_std_20)
target_compile_options(tandem_compile_options INTERFACE
  -Wall -Wextra -Wpedantic
  # A parameter of a constructor may be called like the member that it initialises.
  $<IF:$<CXX_COMPILER_ID:GNU>,-Wshadow=local,-Wshadow>
  -fno-omit-frame-pointer  # backtraces of parked goroutines follow the frame pointers
  -fno-plt                 # lazy binding would run the dynamic linker, 2.7 KB deep, on a goroutine's stack
  $<$<BOOL:${TANDEM_WARNINGS_AS_ERRORS}>:-Werror>)

add_library(tandem_library_options INTERFACE)
target_link_libraries(tandem_library_options INTERFACE tandem_compile_options Threads::Threads)
target_include_directories(tandem_library_options INTERFACE "${PROJECT_SOURCE_DIR}")
target_compile_options(tandem_library_options INTERFACE
  # g++ at -O2 assumes that file-static variables survive the inline assembly of the context switch, although
  # another goroutine runs in between; this switches the analysis off that concludes so. clang has no such
  # analysis.
  $<$<CXX_COMPILER_ID:GNU>:-fno-ipa-reference>)
