package main

import (
	"runtime"
	"sync"
	"time"
)

func init() {
	addMicro("spawn/one_at_a_time", 1000000, oneAtATime)
	addMicro("yield/2", 2000000, func(n int64) { yieldAmong(2, n) })
	addMicro("yield/1000", 2000000, func(n int64) { yieldAmong(1000, n) })
	addProgram("spawn/burst", bursts)
	addProgram("park", park)
}

func oneAtATime(n int64) {
	done := make(chan byte)
	for i := int64(0); i < n; i++ {
		go func() { done <- 'x' }()
		<-done
	}
}

func burst(n int64) {
	var all sync.WaitGroup
	all.Add(int(n))
	for i := int64(0); i < n; i++ {
		go func() { all.Done() }()
	}
	all.Wait()
}

func bursts() {
	n := scaled(1000000, 1)
	perOperation("spawn/burst_cold", n, func() { burst(n) })
	perOperation("spawn/burst_warm", n, func() { burst(n) })
}

func yieldAmong(goroutines, n int64) {
	var all sync.WaitGroup
	for g := int64(0); g < goroutines; g++ {
		all.Add(1)
		go func() {
			for i := int64(0); i < n/goroutines; i++ {
				runtime.Gosched()
			}
			all.Done()
		}()
	}
	all.Wait()
}

func park() {
	n := scaled(1000000, 1)
	each := float64(n)
	gate := make(chan byte)
	var arrived, ended sync.WaitGroup
	arrived.Add(int(n))
	ended.Add(int(n))
	runtime.GC()
	before := residentBytes()
	perOperation("park/create", n, func() {
		for i := int64(0); i < n; i++ {
			go func() {
				arrived.Done()
				<-gate
				ended.Done()
			}()
		}
		arrived.Wait()
	})
	time.Sleep(200 * time.Millisecond)
	record("park/resident", float64(residentBytes()-before)/each, "B", 0, n)
	runtime.GC()
	perOperation("park/cycle", n, runtime.GC)
	record("park/resident_after_cycle", float64(residentBytes()-before)/each, "B", 0, n)
	perOperation("park/wake_and_end", n, func() {
		close(gate)
		ended.Wait()
	})
}
