package main

import (
	"sync"
	"sync/atomic"
	"time"
)

func init() {
	addProgram("timer", timers)
	addProgram("sleep/beside_spinners", sleepBesideSpinners)
	addProgram("sleep/idle", sleepOnIdle)
}

func upToASecond(r *random) time.Duration {
	return time.Duration(r.below(1000000)) * time.Microsecond
}

func timers() {
	n := scaled(1000000, 1)
	r := random(12345)
	made := make([]*time.Timer, 0, n)
	perOperation("timer/create", n, func() {
		for i := int64(0); i < n; i++ {
			made = append(made, time.AfterFunc(time.Hour+upToASecond(&r), func() {}))
		}
	})
	perOperation("timer/stop", n, func() {
		for _, timer := range made {
			timer.Stop()
		}
	})
	made = made[:0]
	var fired sync.WaitGroup
	fired.Add(int(n))
	perOperation("timer/fire", n, func() {
		for i := int64(0); i < n; i++ {
			made = append(made, time.AfterFunc(upToASecond(&r), func() { fired.Done() }))
		}
		fired.Wait()
	})
}

func lateness(sleep time.Duration, times int64, atMost time.Duration) []time.Duration {
	late := make([]time.Duration, 0, times)
	start := time.Now()
	for end := start.Add(atMost); int64(len(late)) < times && start.Before(end); {
		time.Sleep(sleep)
		now := time.Now()
		late = append(late, now.Sub(start)-sleep)
		start = now
	}
	return late
}

// Goroutines that compute until the function returned is called. No poll: Go interrupts them by signals.
func spin(goroutines int) (stop func()) {
	var over int32
	var sink uint64
	var all sync.WaitGroup
	for i := 0; i < goroutines; i++ {
		all.Add(1)
		go func() {
			x := uint64(1)
			for atomic.LoadInt32(&over) == 0 {
				for k := 0; k < 1000; k++ {
					x = x*2862933555777941757 + 3037000493
				}
			}
			atomic.AddUint64(&sink, x)
			all.Done()
		}()
	}
	return func() {
		atomic.StoreInt32(&over, 1)
		all.Wait()
	}
}

func sleepBesideSpinners() {
	stop := spin(2)
	late := lateness(time.Millisecond, scaled(1000, 20), 3*time.Second)
	stop()
	recordPercentiles("sleep/1ms_lateness", late)
}

func sleepOnIdle() {
	const sleep = 100 * time.Microsecond
	taken := lateness(sleep, scaled(1000, 20), 3*time.Second)
	for i := range taken {
		taken[i] += sleep
	}
	recordPercentiles("sleep/100us_takes", taken)
}
