# How tests become ctest entries. One executable per layer, one ctest entry per test source: a crash or a hang
# then costs the tests of one file, and the entries are few enough that starting them under a sanitizer does
# not matter.
#
# Labels: `unit` (GoogleTest), `stress` (in addition, for files named *_stress_test.cpp), `tool` (scripts whose result
# does not depend on how this tree is compiled), `compiler` (scripts that run the compiler).
#
# The entries with a COST start first, the most expensive one before all others, so that no processor waits at the
# end; it is about the seconds that they take. Those that work in parallel themselves say so by PROCESSORS.

find_package(GTest REQUIRED)
find_package(Python3 3.9 REQUIRED COMPONENTS Interpreter)

set(TANDEM_TEST_TIMEOUT_SECONDS 120 CACHE STRING "Time after which one ctest entry is taken for hung")

add_library(tandem_test_options INTERFACE)
target_link_libraries(tandem_test_options INTERFACE tandem_library_options tandem_string_warnings GTest::gtest)
# EXPECT_EQ after an `if` without braces
target_compile_options(tandem_test_options INTERFACE -Wno-dangling-else)

# The main function and the precompiled header that all test executables share.
add_library(tandem_test_main OBJECT "${PROJECT_SOURCE_DIR}/cmake/test_main.cpp")
target_link_libraries(tandem_test_main PRIVATE tandem_test_options tandem_layer_usage)
tandem_precompile(tandem_test_main <gtest/gtest.h> ${TANDEM_STANDARD_HEADERS})

# The precompiled header of those that test the whole library, which all of them include.
add_library(tandem_test_whole OBJECT "${PROJECT_SOURCE_DIR}/cmake/test_whole.cpp")
target_link_libraries(tandem_test_whole PRIVATE tandem_test_options tandem_layer_usage)
tandem_precompile(tandem_test_whole <gtest/gtest.h> ${TANDEM_STANDARD_HEADERS} <tandem/tandem.h>)

# Sets `result` to the name of the ctest entry for a test source: lab.workloads.table for
# lab/workloads/table_test.cpp.
function(tandem_test_name result source)
  file(RELATIVE_PATH name "${PROJECT_SOURCE_DIR}/tests" "${source}")
  string(REGEX REPLACE "^\\.\\./" "" name "${name}")  # models/ lies beside tests/
  string(REGEX REPLACE "_test\\.[a-z]+$" "" name "${name}")
  string(REPLACE "/" "." name "${name}")
  set(${result} "${name}" PARENT_SCOPE)
endfunction()

# Adds executable `name` from the test sources under the directories that follow (helpers and *_test.cpp); no sources, no
# target. The caller links what is under test. `precompiled` is tandem_test_main or tandem_test_whole.
function(tandem_add_test_executable name precompiled)
  set(sources)
  foreach(directory IN LISTS ARGN)
    file(GLOB_RECURSE found CONFIGURE_DEPENDS "${directory}/*.cpp")
    list(APPEND sources ${found})
  endforeach()
  # tests/runtime/{base,context,seam} are layers of their own, not tests of the whole.
  if(name STREQUAL "test_runtime")
    list(FILTER sources EXCLUDE REGEX "/tests/runtime/(base|context|seam)/")
  endif()
  if(NOT sources)
    return()
  endif()

  add_executable(${name} ${sources} $<TARGET_OBJECTS:tandem_test_main>)
  target_link_libraries(${name} PRIVATE tandem_test_options)
  tandem_reuse_precompiled(${name} ${precompiled})

  foreach(source IN LISTS sources)
    if(NOT source MATCHES "_test\\.cpp$")
      continue()
    endif()
    set(labels unit)
    set(cost 0)
    if(source MATCHES "_stress_test\\.cpp$")
      list(APPEND labels stress)
      set(cost 20)
    endif()
    tandem_test_name(entry "${source}")
    add_test(NAME ${entry} COMMAND ${name} --source=${source})
    set_tests_properties(${entry} PROPERTIES LABELS "${labels}" COST ${cost} TIMEOUT ${TANDEM_TEST_TIMEOUT_SECONDS})
  endforeach()
endfunction()

# Adds a Python script as ctest entry `name`, followed by properties other than these. It finds the trees and tools
# through the environment; exit status 77 means that it could not run here.
function(tandem_add_python_test name script)
  add_test(NAME ${name} COMMAND Python3::Interpreter "${script}")
  set_tests_properties(${name} PROPERTIES LABELS tool TIMEOUT 600 SKIP_RETURN_CODE 77 ${ARGN})
  set(environment
    "TANDEM_SOURCE_DIR=${PROJECT_SOURCE_DIR}" "TANDEM_BINARY_DIR=${PROJECT_BINARY_DIR}"
    "TANDEM_CMAKE=${CMAKE_COMMAND}" "TANDEM_CXX=${CMAKE_CXX_COMPILER}" "PYTHONDONTWRITEBYTECODE=1")
  if(TARGET tandem-lab)
    list(APPEND environment "TANDEM_LAB=$<TARGET_FILE:tandem-lab>")
  endif()
  set_property(TEST ${name} PROPERTY ENVIRONMENT "${environment}")
endfunction()
