# What of the system the library uses where it is there. Without it the same is built, and what needs it is refused at run time
# with "not available in this build".
#
#   oneTBB   mark_executor = tbb
#   bdwgc    collector = boehm
#   liburing poller = io_uring

find_package(TBB CONFIG QUIET)
find_library(TANDEM_BDWGC_LIBRARY NAMES gc)
find_path(TANDEM_BDWGC_INCLUDE gc/gc.h)
find_library(TANDEM_LIBURING_LIBRARY NAMES uring)
find_path(TANDEM_LIBURING_INCLUDE liburing.h)
mark_as_advanced(TANDEM_BDWGC_LIBRARY TANDEM_BDWGC_INCLUDE TANDEM_LIBURING_LIBRARY TANDEM_LIBURING_INCLUDE)

set(TANDEM_HAS_TBB ${TBB_FOUND})
set(TANDEM_HAS_BDWGC OFF)
if(TANDEM_BDWGC_LIBRARY AND TANDEM_BDWGC_INCLUDE)
  set(TANDEM_HAS_BDWGC ON)
endif()
set(TANDEM_HAS_LIBURING OFF)
if(TANDEM_LIBURING_LIBRARY AND TANDEM_LIBURING_INCLUDE)
  set(TANDEM_HAS_LIBURING ON)
endif()

# For the layers: what they are compiled with. For programs: what they are linked with.
add_library(tandem_dependencies INTERFACE)
if(TANDEM_HAS_TBB)
  target_compile_definitions(tandem_dependencies INTERFACE TANDEM_HAS_TBB=1)
  target_link_libraries(tandem_dependencies INTERFACE TBB::tbb)
endif()
if(TANDEM_HAS_BDWGC)
  target_compile_definitions(tandem_dependencies INTERFACE TANDEM_HAS_BDWGC=1)
  target_link_libraries(tandem_dependencies INTERFACE gc)
endif()
if(TANDEM_HAS_LIBURING)
  target_compile_definitions(tandem_dependencies INTERFACE TANDEM_HAS_LIBURING=1)
  target_link_libraries(tandem_dependencies INTERFACE uring)
endif()
