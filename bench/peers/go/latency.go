package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

func init() {
	addProgram("ring_buffer", ringBuffer)
	addProgram("collect/beside_spinners", collectBesideSpinners)
	addProgram("pause", pause)
}

const (
	messages     = 200000
	messageBytes = 1024
)

var text = [messageBytes]byte{'T', 'a', 'n', 'd', 'e', 'm'}

func storeMessage(ring [][]byte, number int64) {
	message := make([]byte, messageBytes)
	copy(message, text[:])
	ring[number%messages] = message
}

func ringBuffer() {
	ring := make([][]byte, messages)
	warmUp, stores := scaled(1000000, 1), scaled(2000000, 1)
	for i := int64(0); i < warmUp; i++ {
		storeMessage(ring, i)
	}
	durations := make([]time.Duration, stores)
	perOperation("ring_buffer/store", stores, func() {
		last := time.Now()
		for i := int64(0); i < stores; i++ {
			storeMessage(ring, i)
			now := time.Now()
			durations[i] = now.Sub(last)
			last = now
		}
	})
	recordPercentiles("ring_buffer/latency", durations)
	runtime.KeepAlive(ring)
}

func collectBesideSpinners() {
	stop := spin(runtime.GOMAXPROCS(0))
	time.Sleep(20 * time.Millisecond)
	var durations []time.Duration
	for i := int64(0); i < scaled(50, 5); i++ {
		start := time.Now()
		runtime.GC()
		durations = append(durations, time.Since(start))
	}
	stop()
	recordPercentiles("collect/beside_spinners", durations)
}

const (
	window       = 1 << 20
	objectsPerMs = 200000 / 64
)

func mutate(stop *int32) {
	newest := make([]*node, window)
	r := random(42)
	next := time.Now()
	for i := 0; atomic.LoadInt32(stop) == 0; {
		for k := 0; k < objectsPerMs; k++ {
			n := (*node)(unsafe.Pointer(new(node64)))
			other := newest[r.below(window)]
			n.left = other
			if other != nil {
				other.left = nil
			}
			newest[i%window] = n
			i++
		}
		next = next.Add(time.Millisecond)
		if d := time.Until(next); d > 0 {
			time.Sleep(d)
		}
	}
}

func collections() uint32 {
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.NumGC
}

func pause() {
	live := makeShuffledHeap(scaled(512<<20, 16<<20))
	runtime.GC()
	before := collections()
	var over int32
	var mutator sync.WaitGroup
	mutator.Add(1)
	go func() {
		mutate(&over)
		mutator.Done()
	}()
	var late []time.Duration
	for end := time.Now().Add(time.Duration(scaled(5e9, 1))); time.Now().Before(end); {
		start := time.Now()
		time.Sleep(time.Millisecond)
		late = append(late, time.Since(start)-time.Millisecond)
	}
	atomic.StoreInt32(&over, 1)
	mutator.Wait()
	recordPercentiles("pause/1ms_lateness", late)
	record("pause/cycles", float64(collections()-before), "cycles", 0, 1)
	runtime.KeepAlive(live)
}
