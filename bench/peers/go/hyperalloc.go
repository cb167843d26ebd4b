package main

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

func init() {
	for _, megabytesPerSecond := range []int64{200, 500} {
		for _, liveMegabytes := range []int64{64, 256} {
			rate, live := megabytesPerSecond, liveMegabytes
			name := fmt.Sprintf("hyperalloc/%dx%d", rate, live)
			addProgram(name, func() { hyperalloc(name, float64(rate)*1e6, float64(live)*1e6) })
		}
	}
}

// See workloads/hyperalloc.h for what is allocated when.
const (
	entryBytesMin  = 128
	entryBytesMax  = 1024
	entryBytesMean = (entryBytesMin + entryBytesMax) / 2.0
)

type entry struct {
	bytes  []byte
	number uint64
}

type entryTable struct {
	slots []*entry
	random
	made uint64
}

func newEntryTable(slots int, seed random) *entryTable {
	t := &entryTable{slots: make([]*entry, slots), random: seed}
	for i := range t.slots {
		t.slots[i] = t.makeEntry()
	}
	return t
}

func (t *entryTable) makeEntry() *entry {
	size := entryBytesMin + t.below(entryBytesMax-entryBytesMin+1)
	bytes := make([]byte, size)
	t.made++
	stamp := byte(t.made + size)
	bytes[0], bytes[size-1] = stamp, stamp
	return &entry{bytes, t.made}
}

func (e *entry) expectIntact() {
	size := len(e.bytes)
	expect(size >= entryBytesMin && size <= entryBytesMax, "size of a live entry")
	stamp := byte(e.number + uint64(size))
	expect(e.bytes[0] == stamp && e.bytes[size-1] == stamp, "contents of a live entry")
}

func (t *entryTable) replaceOne() int64 {
	slot := &t.slots[t.below(uint64(len(t.slots)))]
	(*slot).expectIntact()
	fresh := t.makeEntry()
	*slot = fresh
	return int64(len(fresh.bytes))
}

func (t *entryTable) checksum() (sum uint64) {
	for _, e := range t.slots {
		e.expectIntact()
		sum = sum*31 + e.number*7 + uint64(len(e.bytes))
	}
	return sum
}

func (t *entryTable) replaceAtRate(bytesPerMs, total float64) (allocated int64, longest time.Duration) {
	next := time.Now()
	for due := bytesPerMs; float64(allocated) < total; due += bytesPerMs {
		last := time.Now()
		for float64(allocated) < due && float64(allocated) < total {
			allocated += t.replaceOne()
			now := time.Now()
			if took := now.Sub(last); took > longest {
				longest = took
			}
			last = now
		}
		next = next.Add(time.Millisecond)
		if d := next.Sub(last); d > 0 {
			time.Sleep(d)
		}
	}
	return allocated, longest
}

// Sleeps 1 ms at a time until *stop; how late it woke at most.
func sleepAndNote(stop *int32) (latest time.Duration) {
	for atomic.LoadInt32(stop) == 0 {
		due := time.Now().Add(time.Millisecond)
		time.Sleep(time.Millisecond)
		if late := time.Since(due); late > latest {
			latest = late
		}
	}
	return latest
}

type churned struct {
	mutex     sync.Mutex
	allocated int64
	elapsed   time.Duration
	stall     time.Duration
	late      time.Duration
}

func churn(tables []*entryTable, rate, seconds float64) *churned {
	result := new(churned)
	var stop int32
	var sleeper, churners sync.WaitGroup
	sleeper.Add(1)
	go func() {
		result.late = sleepAndNote(&stop)
		sleeper.Done()
	}()
	start := time.Now()
	share := rate / float64(len(tables))
	churners.Add(len(tables))
	for _, table := range tables {
		table := table
		go func() {
			allocated, longest := table.replaceAtRate(share/1000, share*seconds)
			result.mutex.Lock()
			result.allocated += allocated
			if longest > result.stall {
				result.stall = longest
			}
			result.mutex.Unlock()
			churners.Done()
		}()
	}
	churners.Wait()
	result.elapsed = time.Since(start)
	atomic.StoreInt32(&stop, 1)
	sleeper.Wait()
	return result
}

func hyperalloc(name string, rate, live float64) {
	const goroutines = 2
	seconds := float64(scaled(3000, 1)) / 1e3
	tables := make([]*entryTable, goroutines)
	for number := range tables {
		tables[number] = newEntryTable(int(live/entryBytesMean/goroutines), seedOf(number))
	}
	var result *churned
	whole(name, int64(rate/1e6*seconds), func() { result = churn(tables, rate, seconds) })
	record(name+"/rate", float64(result.allocated)*1e3/float64(result.elapsed), "MB/s", 0, 1)
	record(name+"/stall/max", float64(result.stall)/1e3, "us", 0, 1)
	record(name+"/sleeper/max", float64(result.late)/1e3, "us", 0, 1)
	checksum := uint64(0)
	for _, table := range tables {
		checksum += table.checksum()
	}
	recordChecksum(name, checksum)
}
