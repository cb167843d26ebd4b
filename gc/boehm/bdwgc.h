#pragma once
// bdwgc's headers, which redefine pthread functions unless told otherwise: our threads are none of its business.

#define GC_THREADS 1
#define GC_NO_THREAD_REDIRECTS 1
#include <gc/gc.h>
#include <gc/gc_inline.h>
#include <gc/gc_mark.h>
#include <gc/javaxfc.h>
