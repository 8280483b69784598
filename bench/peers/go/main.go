// What Go's context and opentelemetry-go cost, row by row like Whence's own. For every line on standard input it runs one
// round and prints a line of JSON for each row, then an empty one.
package main

import (
	"bufio"
	"fmt"
	"os"
	"runtime"
	"time"
)

// A row times n operations itself; what it does before and after is not counted.
type row struct {
	name    string
	against string // the row of Whence's that does the same
	run     func(n int) time.Duration
	n       int           // operations in a sample; 0: as many as take sampleTime
	check   func() string // after a sample, not timed: what is wrong with it, or ""
	partly  bool          // only a part of what it does is timed: its allocations are not told
}

const sampleTime = 3 * time.Millisecond

// The least of a few: one that lost its CPU for a while would seem to need no more than a few operations.
func timeFor(r *row, n int) time.Duration {
	return min(r.run(n), r.run(n), r.run(n), r.run(n))
}

func calibrate(r *row) {
	if r.n > 0 {
		return
	}
	for r.n = 16; timeFor(r, r.n) < sampleTime/2; {
		r.n *= 2
	}
}

func sample(r *row) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	took := r.run(r.n)
	runtime.ReadMemStats(&after)
	wrong := ""
	if r.check != nil {
		wrong = r.check()
	}
	fmt.Printf(`{"name": %q, "ns": %.3f, "against": %q`, r.name, float64(took.Nanoseconds())/float64(r.n), r.against)
	if !r.partly {
		fmt.Printf(`, "allocs": %.3f`, float64(after.Mallocs-before.Mallocs)/float64(r.n))
	}
	if wrong != "" {
		fmt.Printf(`, "invalid": %q`, wrong)
	}
	fmt.Println("}")
}

func timed(op func(n int)) func(n int) time.Duration {
	return func(n int) time.Duration {
		begin := time.Now()
		op(n)
		return time.Since(begin)
	}
}

func main() {
	rows := append(contextRows(), spanRows()...)
	if collector := os.Getenv("BENCH_COLLECTOR"); collector != "" {
		rows = append(rows, wireRows(collector)...)
	}
	for i := range rows {
		calibrate(&rows[i])
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		for i := range rows {
			sample(&rows[i])
		}
		fmt.Println()
	}
}
