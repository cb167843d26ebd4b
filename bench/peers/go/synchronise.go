package main

import (
	"sync"
	"syscall"
	"time"
)

func init() {
	addMicro("mutex/uncontended", 4000000, uncontended)
	addMicro("mutex/shared_read", 4000000, sharedRead)
	addMicro("condition/round_trip", 500000, condition)
	addMicro("wait_group/64", 1000000, waitGroup)
	addProgram("blocking", bracket)
}

var counter int64

func uncontended(n int64) {
	var mutex sync.Mutex
	counter = 0
	for i := int64(0); i < n; i++ {
		mutex.Lock()
		counter++
		mutex.Unlock()
	}
	expect(counter == n, "mutex")
}

func sharedRead(n int64) {
	const readers = 8
	var mutex sync.RWMutex
	var all sync.WaitGroup
	for reader := 0; reader < readers; reader++ {
		all.Add(1)
		go func() {
			for i := int64(0); i < n/readers; i++ {
				mutex.RLock()
				mutex.RUnlock()
			}
			all.Done()
		}()
	}
	all.Wait()
}

func condition(n int64) {
	var mutex sync.Mutex
	changed := sync.NewCond(&mutex)
	turn := 0
	takeTurns := func(mine, other int) {
		mutex.Lock()
		for i := int64(0); i < n; i++ {
			for turn != mine {
				changed.Wait()
			}
			turn = other
			changed.Signal()
		}
		mutex.Unlock()
	}
	var second sync.WaitGroup
	second.Add(1)
	go func() {
		takeTurns(1, 0)
		second.Done()
	}()
	takeTurns(0, 1)
	second.Wait()
}

func waitGroup(n int64) {
	const goroutines = 64
	for round := int64(0); round < n/goroutines; round++ {
		var all sync.WaitGroup
		all.Add(goroutines)
		for g := 0; g < goroutines; g++ {
			go all.Done()
		}
		all.Wait()
	}
}

func bracket() {
	const rounds = 10
	n := scaled(300000, 10)
	var raw, bracketed time.Duration
	for round := 0; round < rounds; round++ {
		start := cpuTime()
		for i := int64(0); i < n/rounds; i++ {
			syscall.RawSyscall(syscall.SYS_GETPPID, 0, 0, 0)
		}
		middle := cpuTime()
		for i := int64(0); i < n/rounds; i++ {
			syscall.Syscall(syscall.SYS_GETPPID, 0, 0, 0)
		}
		raw += middle - start
		bracketed += cpuTime() - middle
	}
	price := float64(bracketed-raw) / float64(n)
	record("blocking/bracket", price, "ns", price, n)
}
