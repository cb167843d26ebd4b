package main

import (
	"fmt"
	"math"
	"runtime"
	"runtime/metrics"
	"strings"
	"syscall"
)

func ping(words [][]byte, _ *store, output []byte) []byte {
	switch len(words) {
	case 1:
		return appendLine(output, '+', "PONG")
	case 2:
		return appendBulk(output, string(words[1]))
	}
	return wrongNumber(output, "ping")
}

func describe(_ [][]byte, _ *store, output []byte) []byte { return appendArray(output, 0) }

// GET finds nothing.
func config(words [][]byte, _ *store, output []byte) []byte {
	if len(words) != 3 || !strings.EqualFold(string(words[1]), "get") {
		return appendError(output, "ERR unknown subcommand or wrong number of arguments for 'config'")
	}
	return appendArray(output, 0)
}

// PURGE collects.
func memory(words [][]byte, _ *store, output []byte) []byte {
	if !strings.EqualFold(string(words[1]), "purge") {
		return appendError(output, "ERR unknown subcommand for 'memory'")
	}
	runtime.GC()
	return appendOk(output)
}

// What the lab shows of Go's runtime; ReadMemStats stops the world, so this is for before and after a load.
func info(_ [][]byte, _ *store, output []byte) []byte {
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	var usage syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return appendBulk(output, fmt.Sprintf("# Server\r\nredis_version:7.0.0\r\nserver_name:go-kv\r\n"+
		"# Memory\r\nused_memory:%d\r\nallocated_bytes:%d\r\ncollection_cycles:%d\r\nlongest_pause_ns:%d\r\n"+
		"# CPU\r\nused_cpu_ns:%d\r\n",
		memory.HeapAlloc, memory.TotalAlloc, memory.NumGC, longestPauseNs(), usage.Utime.Nano()+usage.Stime.Nano()))
}

// The longest single stop of the world for the collector so far, rounded up to the end of its bucket.
func longestPauseNs() int64 {
	sample := []metrics.Sample{{Name: "/gc/pauses:seconds"}}
	metrics.Read(sample)
	pauses := sample[0].Value.Float64Histogram()
	for i := len(pauses.Counts) - 1; i >= 0; i-- {
		if pauses.Counts[i] > 0 && !math.IsInf(pauses.Buckets[i+1], 0) {
			return int64(pauses.Buckets[i+1] * 1e9)
		}
	}
	return 0
}
