package main

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sort"
	"time"
	"unsafe"
)

func init() {
	addProgram("barrier", barrier)
	addProgram("mark/shuffled", func() { collectRepeatedly("mark/shuffled", makeShuffledHeap) })
	addProgram("mark/orderly", func() { collectRepeatedly("mark/orderly", makeOrderlyHeap) })
}

// Two references, then data.
type node struct {
	left, right *node
	data        [2]uint64
}
type node48 struct {
	node
	more [2]uint64
}
type node64 struct {
	node
	more [4]uint64
}

type liveHeap struct {
	root    *node
	array   []*node
	objects int64
}

func makeNodes(r *random, count int) []*node {
	nodes := make([]*node, count)
	for i := range nodes {
		switch r.below(3) {
		case 0:
			nodes[i] = new(node)
		case 1:
			nodes[i] = (*node)(unsafe.Pointer(new(node48)))
		default:
			nodes[i] = (*node)(unsafe.Pointer(new(node64)))
		}
		nodes[i].data[0] = uint64(i)
	}
	return nodes
}

const (
	meanNodeBytes = 48
	shapeSeed     = 2654435761 + 88172645463325252
)

func makeShuffledHeap(bytes int64) *liveHeap {
	count := int(bytes / meanNodeBytes)
	r := random(shapeSeed)
	nodes := makeNodes(&r, count)
	for i := count - 1; i > 0; i-- {
		other := r.below(uint64(i + 1))
		nodes[i], nodes[other] = nodes[other], nodes[i]
	}
	for i, n := range nodes {
		if 2*i+1 < count {
			n.left = nodes[2*i+1]
		}
		if 2*i+2 < count {
			n.right = nodes[2*i+2]
		}
	}
	return &liveHeap{root: nodes[0], objects: int64(count)}
}

func makeOrderlyHeap(bytes int64) *liveHeap {
	count := int(bytes / meanNodeBytes)
	r := random(shapeSeed)
	return &liveHeap{array: makeNodes(&r, count), objects: int64(count)}
}

func collectRepeatedly(name string, makeHeap func(int64) *liveHeap) {
	const cycles = 3
	debug.SetGCPercent(-1)
	live := makeHeap(scaled(256<<20, 1<<20))
	runtime.GC()
	perOperation(name, cycles*live.objects, func() {
		for cycle := 0; cycle < cycles; cycle++ {
			runtime.GC()
		}
	})
	runtime.KeepAlive(live)
}

const (
	barrierObjects = 4096
	barrierStores  = 2 * (barrierObjects - 1)
)

func timedStores(nodes []*node) time.Duration {
	start := time.Now()
	for i := 0; i < barrierObjects-1; i++ {
		n := nodes[i]
		n.right = n.left
		n.left = nodes[i+1]
	}
	return time.Since(start)
}

func recordMedian(name string, durations []time.Duration) {
	expect(len(durations) > 0, "no round fell into the marking")
	sort.Slice(durations, func(i, j int) bool { return durations[i] < durations[j] })
	each := float64(durations[len(durations)/2]) / barrierStores
	record(name, each, "ns", 0, int64(len(durations)))
}

// The number of collections whose marking is over.
func marked() uint64 {
	sample := []metrics.Sample{{Name: "/gc/cycles/total:gc-cycles"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

// Whether marking has begun cannot be asked: rounds count from 10 ms after the start of a collection on.
func roundsWhileMarking(nodes []*node, durations []time.Duration) []time.Duration {
	before := marked()
	swept := make(chan bool)
	go func() {
		runtime.GC()
		close(swept)
	}()
	time.Sleep(10 * time.Millisecond)
	for {
		taken := timedStores(nodes)
		if marked() != before {
			break
		}
		durations = append(durations, taken)
		runtime.Gosched()
	}
	<-swept
	return durations
}

func barrier() {
	debug.SetGCPercent(-1)
	live := makeShuffledHeap(scaled(256<<20, 16<<20))
	nodes := make([]*node, barrierObjects)
	for i := range nodes {
		nodes[i] = new(node)
	}
	runtime.GC()
	var off []time.Duration
	for round := 0; round < 2000; round++ {
		off = append(off, timedStores(nodes))
	}
	recordMedian("barrier/off", off)
	var on []time.Duration
	for cycle := 0; cycle < 2; cycle++ {
		on = roundsWhileMarking(nodes, on)
	}
	recordMedian("barrier/on", on)
	runtime.KeepAlive(live)
}
