// The twin of tandem-bench in Go: the same work, with the same parameters, under the same names.
//
//	go-bench -case NAME [-scale X]     one benchmark, a JSON line per figure
//	go-bench -list
//	go-bench -version
//
// GOMAXPROCS is the number of processors.
package main

import (
	"flag"
	"fmt"
	"math"
	"os"
	"runtime"
	"sort"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A micro benchmark does one operation n times.
type micro struct {
	name       string
	operations int64
	body       func(operations int64)
}

// A program takes its own figures.
type program struct {
	name string
	body func()
}

var (
	micros   []micro
	programs []program
	scale    = flag.Float64("scale", 1, "multiplies the number of operations")
)

func addMicro(name string, operations int64, body func(int64)) {
	micros = append(micros, micro{name, operations, body})
}

func addProgram(name string, body func()) { programs = append(programs, program{name, body}) }

func scaled(n, least int64) int64 {
	return int64(math.Max(float64(least), float64(n)**scale))
}

func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func residentBytes() int64 {
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		panic(err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(text))[1], 10, 64)
	if err != nil {
		panic(err)
	}
	return pages * int64(os.Getpagesize())
}

func record(name string, value float64, unit string, cpu float64, n int64) {
	fmt.Printf(`{"name":%q,"processors":%d,"n":%d,"value":%.6g,"unit":%q,"cpu":%.6g}`+"\n",
		name, runtime.GOMAXPROCS(0), n, value, unit, cpu)
}

// What a program computed, as far as a figure holds it: run.py compares it with the twin's.
func recordChecksum(name string, checksum uint64) {
	record(name+"/checksum", float64(checksum%1000000), "", 0, 1)
}

func recordPercentiles(name string, durations []time.Duration) {
	sort.Slice(durations, func(i, j int) bool { return durations[i] < durations[j] })
	at := func(suffix string, quantile float64) {
		d := durations[int(quantile*float64(len(durations)-1))]
		record(name+suffix, float64(d)/1e3, "us", 0, int64(len(durations)))
	}
	at("/p50", 0.5)
	at("/p99", 0.99)
	at("/p99.9", 0.999)
	at("/max", 1)
}

func timed(name string, divisor float64, unit string, n int64, body func()) {
	cpu, wall := cpuTime(), time.Now()
	body()
	wallTaken, cpuTaken := time.Since(wall), cpuTime()-cpu
	record(name, float64(wallTaken)/divisor, unit, float64(cpuTaken)/divisor, n)
}

func perOperation(name string, n int64, body func()) { timed(name, float64(n), "ns", n, body) }
func whole(name string, n int64, body func())        { timed(name, 1e6, "ms", n, body) }

func expect(holds bool, what string) {
	if !holds {
		panic("wrong result: " + what)
	}
}

// xorshift, as in tandem-bench: both draw the same numbers.
type random uint64

func (r *random) next() uint64 {
	x := uint64(*r)
	x ^= x << 13
	x ^= x >> 7
	x ^= x << 17
	*r = random(x)
	return x
}

func (r *random) below(limit uint64) uint64 { return r.next() % limit }

// The seed of a program's goroutine 0, 1, 2 ...
func seedOf(number int) random {
	return random(88172645463325252 + uint64(number)*11400714819323198485)
}

func main() {
	name := flag.String("case", "", "benchmark to run")
	list := flag.Bool("list", false, "print the names for -case")
	version := flag.Bool("version", false, "print the version of Go")
	flag.Parse()
	if *version {
		fmt.Println(runtime.Version())
		return
	}
	for _, m := range micros {
		if *list {
			fmt.Println(m.name)
		}
		if m.name == *name {
			operations := scaled(m.operations, 10)
			m.body(operations / 10)
			perOperation(m.name, operations, func() { m.body(operations) })
			return
		}
	}
	for _, p := range programs {
		if *list {
			fmt.Println(p.name)
		}
		if p.name == *name {
			p.body()
			return
		}
	}
	if !*list {
		fmt.Fprintf(os.Stderr, "go-bench: no benchmark is called %q; -list prints all names\n", *name)
		os.Exit(2)
	}
}
