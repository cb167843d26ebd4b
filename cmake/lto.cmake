# The scheduler and its switch tests, compiled and linked as one program (-flto). What the sources keep apart by functions
# that are not inlined, such as the address of a thread_local before and after a switch, and what -fno-ipa-reference says about
# one source, must hold then too. Built by a test, not by `all`: nobody else needs these objects.

add_executable(test_lto EXCLUDE_FROM_ALL "${PROJECT_SOURCE_DIR}/tests/sched/switch_test.cpp"
               "${PROJECT_SOURCE_DIR}/cmake/test_main.cpp")
foreach(layer IN ITEMS ${TANDEM_LAYERS_BELOW_sched} sched)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${TANDEM_LAYER_DIRECTORY_${layer}}/*.cpp")
  target_sources(test_lto PRIVATE ${sources})
endforeach()
target_link_libraries(test_lto PRIVATE tandem_test_options tandem_layer_usage)
target_compile_options(test_lto PRIVATE -flto)
set_target_properties(test_lto PROPERTIES UNITY_BUILD OFF)  # names repeat from layer to layer
target_link_options(test_lto PRIVATE -flto=2 -O2 -Wl,-z,now)
tandem_precompile(test_lto <gtest/gtest.h> ${TANDEM_STANDARD_HEADERS})

add_test(NAME lto.build
         COMMAND "${CMAKE_COMMAND}" --build "${PROJECT_BINARY_DIR}" --target test_lto --parallel 2)
set_tests_properties(lto.build PROPERTIES LABELS tool TIMEOUT 900 COST 90 PROCESSORS 2 FIXTURES_SETUP lto)
add_test(NAME lto.switch COMMAND test_lto)
set_tests_properties(lto.switch PROPERTIES LABELS tool TIMEOUT ${TANDEM_TEST_TIMEOUT_SECONDS} FIXTURES_REQUIRED lto)
# Two tests must not run ninja in one directory.
set_tests_properties(lto.build PROPERTIES RESOURCE_LOCK build_directory)
set_tests_properties(headers.compile_alone PROPERTIES RESOURCE_LOCK build_directory)
