// Only what cmake needs to have something to compile with the precompiled header of tandem_test_whole.
