# Tests of tandem::automatic_safepoints: tests/automatic, and those of the whole library in which the most is at stake, compiled
# with it and run with zeal. Every basic block is a poll that yields then, so that a place of ours that must not be divided, and
# is, shows.
add_executable(test_automatic
  "${PROJECT_SOURCE_DIR}/cmake/test_main.cpp"
  "${PROJECT_SOURCE_DIR}/tests/automatic/spinning_test.cpp"
  "${PROJECT_SOURCE_DIR}/tests/runtime/heap_litmus_test.cpp")
target_link_libraries(test_automatic PRIVATE tandem_test_options tandem::automatic_safepoints)
tandem_precompile(test_automatic <gtest/gtest.h> ${TANDEM_STANDARD_HEADERS})

add_test(NAME automatic.safepoints COMMAND test_automatic --gtest_filter=*AutomaticSafepoints*)
add_test(NAME automatic.zeal COMMAND test_automatic --gtest_filter=*Litmus*:*DoNotDivide*)
set_tests_properties(automatic.safepoints automatic.zeal PROPERTIES LABELS unit TIMEOUT ${TANDEM_TEST_TIMEOUT_SECONDS})
set_tests_properties(automatic.zeal PROPERTIES COST 30
  ENVIRONMENT "TANDEM_YIELD_EVERY_POLL=on;TANDEM_POISON_FREED=on;TANDEM_TEST_SCALE=0.05")
