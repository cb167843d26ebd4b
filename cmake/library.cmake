# `tandem::tandem`: all layers in one static library, and everything that a user of it inherits.
add_library(tandem STATIC)
add_library(tandem::tandem ALIAS tandem)

foreach(layer IN LISTS TANDEM_LAYERS_WITH_OBJECTS)
  target_sources(tandem PRIVATE $<TARGET_OBJECTS:tandem_${layer}>)
endforeach()

file(GLOB_RECURSE TANDEM_PUBLIC_HEADERS CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/runtime/include/tandem/*.h")
target_sources(tandem PUBLIC FILE_SET HEADERS BASE_DIRS "${PROJECT_SOURCE_DIR}/runtime/include"
                             FILES ${TANDEM_PUBLIC_HEADERS})

target_compile_features(tandem PUBLIC cxx_std_20)
# The checks live in inline functions as well: library and user must agree on them.
target_compile_definitions(tandem PUBLIC $<$<BOOL:${TANDEM_DEBUG_CHECKS}>:TANDEM_DEBUG_CHECKS=1>)
# Every symbol is bound before main: the dynamic linker needs 2.7 KB of stack, which a goroutine may not have
# left.
target_link_options(tandem INTERFACE -Wl,-z,now)
target_link_libraries(tandem PUBLIC Threads::Threads $<$<BOOL:${TANDEM_HAS_TBB}>:TBB::tbb>
                                    $<$<BOOL:${TANDEM_HAS_BDWGC}>:gc> $<$<BOOL:${TANDEM_HAS_LIBURING}>:uring>)

# Polls in loops without source changes: what is linked with this is compiled with a call to the runtime in every basic block
# (seam/automatic_safepoint.cpp). docs/automatic-safepoints.md.
add_library(tandem_automatic_safepoints INTERFACE)
add_library(tandem::automatic_safepoints ALIAS tandem_automatic_safepoints)
set_target_properties(tandem_automatic_safepoints PROPERTIES EXPORT_NAME automatic_safepoints)
target_compile_options(tandem_automatic_safepoints INTERFACE -fsanitize-coverage=trace-pc)
target_compile_definitions(tandem_automatic_safepoints INTERFACE TANDEM_AUTOMATIC_SAFEPOINTS=1)
target_link_libraries(tandem_automatic_safepoints INTERFACE tandem)

set_target_properties(tandem PROPERTIES LINKER_LANGUAGE CXX POSITION_INDEPENDENT_CODE ON)
