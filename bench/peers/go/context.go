package main

import (
	"context"
	"sync"
	"time"
)

type key int

var (
	live, cancelLive = context.WithCancel(context.Background())
	sink             error
	found            any
)

func cancelOf(parent context.Context) func(n int) time.Duration {
	return timed(func(n int) {
		for range n {
			_, cancel := context.WithCancel(parent)
			cancel()
		}
	})
}

func timeoutOf(parent context.Context) func(n int) time.Duration {
	return timed(func(n int) {
		for range n {
			_, cancel := context.WithTimeout(parent, 2*time.Second)
			cancel()
		}
	})
}

// Each of two goroutines does it n times.
func twoOnOneParent(n int) time.Duration {
	var done sync.WaitGroup
	begin := time.Now()
	for range 2 {
		done.Go(func() { cancelOf(live)(n) })
	}
	done.Wait()
	return time.Since(begin)
}

func askErr(n int) {
	for range n {
		sink = live.Err()
	}
}

func askDone(n int) {
	for range n {
		select {
		case <-live.Done():
			sink = live.Err()
		default:
		}
	}
}

func valueAt(depth int) func(n int) time.Duration {
	ctx := context.WithValue(live, key(0), 1)
	for i := 1; i < depth; i++ {
		ctx = context.WithValue(ctx, key(i), i)
	}
	return timed(func(n int) {
		for range n {
			found = ctx.Value(key(0))
		}
	})
}

func addValue(n int) {
	var ctx context.Context
	for i := range n {
		ctx = context.WithValue(live, key(1), i)
	}
	found = ctx
}

// Makes n children in fans of that size, cancels each fan at once, and lets go of them; times one of the two.
func fanOut(size int, cancelling bool) func(n int) time.Duration {
	cancels := make([]context.CancelFunc, size)
	return func(n int) time.Duration {
		var derived, cancelled time.Duration
		for ; n > 0; n -= size {
			parent, cancel := context.WithCancel(context.Background())
			begin := time.Now()
			for i := range size {
				_, cancels[i] = context.WithCancel(parent)
			}
			middle := time.Now()
			cancel()
			cancelled += time.Since(middle)
			derived += middle.Sub(begin)
		}
		if cancelling {
			return cancelled
		}
		return derived
	}
}

func contextRows() []row {
	return []row{
		{name: "WithCancel+cancel, background parent", against: "derive+cancel+end, background parent", run: cancelOf(context.Background())},
		{name: "WithCancel+cancel", against: "derive+cancel+end", run: cancelOf(live)},
		{name: "WithCancel+cancel, two goroutines on one parent", against: "derive+cancel+end, two threads on one parent", run: twoOnOneParent},
		{name: "WithTimeout+cancel, background parent", against: "derive+cancel+end, deadline, background parent", run: timeoutOf(context.Background())},
		{name: "WithTimeout+cancel", against: "derive+cancel+end, deadline", run: timeoutOf(live)},
		{name: "Err", against: "wh_err", run: timed(askErr)},
		{name: "select on Done", against: "wh_err", run: timed(askDone)},
		{name: "WithValue", against: "with value+end", run: timed(addValue)},
		{name: "Value at depth 10", against: "value at depth 10", run: valueAt(10)},
		{name: "fan-out 1k, derive", against: "fan-out 1k, derive", run: fanOut(1000, false), n: 16000},
		{name: "fan-out 1k, cancel", against: "fan-out 1k, cancel", run: fanOut(1000, true), n: 16000, partly: true},
		{name: "fan-out 100k, derive", against: "fan-out 100k, derive", run: fanOut(100000, false), n: 100000},
		{name: "fan-out 100k, cancel", against: "fan-out 100k, cancel", run: fanOut(100000, true), n: 100000, partly: true},
	}
}
