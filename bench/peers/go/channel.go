package main

import (
	"sync"
	"sync/atomic"
)

func init() {
	addMicro("ping_pong", 500000, pingPong)
	addMicro("ring/1000", 1000000, ring)
	addMicro("channel/cap0", 1000000, func(n int64) { transfer(1, 0, n) })
	addMicro("channel/cap1", 1000000, func(n int64) { transfer(1, 1, n) })
	addMicro("channel/cap64", 1000000, func(n int64) { transfer(1, 64, n) })
	addMicro("channel/4to4_cap64", 1000000, func(n int64) { transfer(4, 64, n) })
	addMicro("select/2_ready", 1000000, func(n int64) { allReady(2, n, receiveFromTwo) })
	addMicro("select/8_ready", 1000000, func(n int64) { allReady(8, n, receiveFromEight) })
	addMicro("select/2_blocked", 250000, twoBlocked)
}

func pingPong(n int64) {
	there, back := make(chan int64), make(chan int64)
	go func() {
		for value := range there {
			back <- value
		}
	}()
	for i := int64(0); i < n; i++ {
		there <- i
		expect(<-back == i, "ping-pong")
	}
	close(there)
}

func ring(hops int64) {
	const size = 1000
	first := make(chan int64)
	last := first
	for i := 0; i < size-1; i++ {
		out := make(chan int64)
		go func(in chan int64) {
			for value := range in {
				out <- value - 1
			}
			close(out)
		}(last)
		last = out
	}
	for value := hops; value > 0; {
		first <- value
		value = <-last - 1
	}
	close(first)
	_, open := <-last
	expect(!open, "ring")
}

func transfer(pairs, capacity, n int64) {
	channel := make(chan int64, capacity)
	each := n / pairs
	var senders, receivers sync.WaitGroup
	var sum int64
	for pair := int64(0); pair < pairs; pair++ {
		senders.Add(1)
		receivers.Add(1)
		go func() {
			for i := int64(0); i < each; i++ {
				channel <- i
			}
			senders.Done()
		}()
		go func() {
			own := int64(0)
			for value := range channel {
				own += value
			}
			atomic.AddInt64(&sum, own)
			receivers.Done()
		}()
	}
	senders.Wait()
	close(channel)
	receivers.Wait()
	expect(sum == each*(each-1)/2*pairs, "sum of what went through the channel")
}

func makeChannels(count, capacity int) []chan int64 {
	channels := make([]chan int64, count)
	for i := range channels {
		channels[i] = make(chan int64, capacity)
	}
	return channels
}

func receiveFromTwo(c []chan int64) (taken int, value int64) {
	select {
	case value = <-c[0]:
	case value = <-c[1]:
		taken = 1
	}
	return
}

func receiveFromEight(c []chan int64) (taken int, value int64) {
	select {
	case value = <-c[0]:
	case value = <-c[1]:
		taken = 1
	case value = <-c[2]:
		taken = 2
	case value = <-c[3]:
		taken = 3
	case value = <-c[4]:
		taken = 4
	case value = <-c[5]:
		taken = 5
	case value = <-c[6]:
		taken = 6
	case value = <-c[7]:
		taken = 7
	}
	return
}

func allReady(count int, n int64, receive func([]chan int64) (int, int64)) {
	channels := makeChannels(count, 1)
	for i := range channels {
		channels[i] <- int64(i)
	}
	for i := int64(0); i < n; i++ {
		taken, value := receive(channels)
		expect(value == int64(taken), "select")
		channels[taken] <- value
	}
}

func twoBlocked(n int64) {
	channels, back := makeChannels(2, 0), make(chan int64)
	go func() {
		for i := int64(0); i < n; i++ {
			_, value := receiveFromTwo(channels)
			back <- value
		}
	}()
	for i := int64(0); i < n; i++ {
		channels[i%2] <- i
		expect(<-back == i, "select")
	}
}
