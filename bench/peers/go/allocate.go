package main

import (
	"runtime"
	"unsafe"
)

func init() {
	addMicro("allocate/16", 8000000, allocate[[2]unsafe.Pointer])
	addMicro("allocate/32", 8000000, allocate[[4]unsafe.Pointer])
	addMicro("allocate/64", 8000000, allocate[[8]unsafe.Pointer])
	addMicro("allocate/256", (1<<29)/256, allocate[[32]unsafe.Pointer])
	addProgram("allocate_live", allocateBesideLive)
}

// Where the newest object hangs.
type slot[T any] struct{ newest *T }

func allocate[T any](n int64) {
	s := new(slot[T])
	escaped = unsafe.Pointer(s)
	for i := int64(0); i < n; i++ {
		s.newest = new(T)
	}
}

var escaped unsafe.Pointer

func allocateBesideLive() {
	live := makeShuffledHeap(scaled(256<<20, 1<<20))
	runtime.GC()
	n := scaled(8000000, 1)
	perOperation("allocate_live/32", n, func() { allocate[[4]unsafe.Pointer](n) })
	perOperation("allocate_live/64", n, func() { allocate[[8]unsafe.Pointer](n) })
	runtime.KeepAlive(live)
}
