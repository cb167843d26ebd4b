# Precompiled headers: nine tenths of the compiler's time would go into reading the same headers of the standard
# library and of packages again. The code that is generated is the same. Our own headers are left out, but for
# the lab and the tests of the whole library, which are its users: a change to one rebuilds what includes it, not everything.
#
# A source could compile only because the precompiled header includes what it forgot. For headers, headers.cmake
# finds that; for sources, a build with -DTANDEM_PRECOMPILE_HEADERS=OFF does.
option(TANDEM_PRECOMPILE_HEADERS "Precompile the headers of the standard library and of packages" ON)
mark_as_advanced(TANDEM_PRECOMPILE_HEADERS)

set(TANDEM_STANDARD_HEADERS
  <algorithm> <array> <atomic> <bit> <charconv> <chrono> <concepts> <cstdio> <cstdlib> <cstring> <deque>
  <exception> <functional> <map> <memory> <mutex> <new> <optional> <set> <span> <stdexcept> <string>
  <string_view> <system_error> <tuple> <type_traits> <unordered_map> <unordered_set> <utility> <variant> <vector>)

# For targets that put strings together (tests, lab, benchmarks): g++ 12 sees errors in std::string's insides that are
# none (its bugs 105329 and 105651), and no longer knows that these are a system header's when they come from a
# precompiled one.
add_library(tandem_string_warnings INTERFACE)
if(TANDEM_PRECOMPILE_HEADERS)
  target_compile_options(tandem_string_warnings INTERFACE
    $<$<CXX_COMPILER_ID:GNU>:-Wno-array-bounds> $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)
endif()

# Precompiles headers (<...> each) for `target`.
function(tandem_precompile target)
  if(NOT TANDEM_PRECOMPILE_HEADERS)
    return()
  endif()
  target_precompile_headers(${target} PRIVATE ${ARGN})
  tandem_precompile_options(${target})
endfunction()

# Takes over what was precompiled for `other`, which is compiled with the same options.
function(tandem_reuse_precompiled target other)
  if(NOT TANDEM_PRECOMPILE_HEADERS)
    return()
  endif()
  target_precompile_headers(${target} REUSE_FROM ${other})
  tandem_precompile_options(${target})
endfunction()

# What ccache needs to keep objects that were compiled with a precompiled header, see its manual; options.cmake
# has the rest.
function(tandem_precompile_options target)
  target_compile_options(${target} PRIVATE
    $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess> $<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>)
endfunction()
