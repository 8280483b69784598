// Runs the scripted cases of tests/context/cases on Go's own package context, and prints what each line comes to:
// "FILE:LINE<tab>RESULT", as the program in C does for Whence. Standard library only.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const patience = 30 * time.Second

// A cause that says, beside its name, on which context cancel was called.
type cause struct{ name, by string }

func (c *cause) Error() string { return c.name }

type key struct{ name string }

type node struct {
	name   string
	ctx    context.Context
	cancel context.CancelCauseFunc // nil: there is nothing to cancel
	mine   bool
	holds  int
}

type callback struct {
	of   *node
	stop func() bool
	runs atomic.Int32
	saw  atomic.Value
}

type world struct {
	begun     time.Time
	nodes     []*node
	callbacks map[string]*callback
	lock      sync.Mutex
	order     []string
}

var (
	place    string
	keys     = map[string]*key{"k": {"k"}, "l": {"l"}, "m": {"m"}, "same_name": {"k"}}
	instants = []struct {
		name string
		from time.Duration
	}{{"past2", -2 * time.Second}, {"past1", -time.Second}, {"far1", 1000 * time.Second}, {"far2", 2000 * time.Second},
		{"far3", 3000 * time.Second}}
)

func giveUp(what ...any) {
	fmt.Fprintln(os.Stderr, append([]any{place + ":"}, what...)...)
	os.Exit(2)
}

func (w *world) find(name string) *node {
	switch name {
	case "bg":
		return &node{name: name, ctx: context.Background()}
	case "todo":
		return &node{name: name, ctx: context.TODO()}
	}
	for _, n := range w.nodes {
		if n.name == name {
			return n
		}
	}
	giveUp("no such context:", name)
	return nil
}

func (w *world) findCallback(name string) *callback {
	c := w.callbacks[name]
	if c == nil {
		giveUp("no such callback:", name)
	}
	return c
}

func (w *world) instant(name string) time.Time {
	for _, i := range instants {
		if i.name == name {
			return w.begun.Add(i.from)
		}
	}
	giveUp("no such instant:", name)
	return time.Time{}
}

func (w *world) deadline(ctx context.Context) string {
	at, ok := ctx.Deadline()
	if !ok {
		return "never"
	}
	for _, i := range instants {
		if at.Equal(w.begun.Add(i.from)) {
			return i.name
		}
	}
	return "soon"
}

// ---- making ----

// A context with a deadline has no cancel function that takes a cause: one more context around it does. A cancel without a
// cause is the CancelFunc's own.
func timed(ctx context.Context, plain context.CancelFunc) (context.Context, context.CancelCauseFunc) {
	outer, cancel := context.WithCancelCause(ctx)
	return outer, func(why error) {
		if why != nil {
			cancel(why)
		}
		plain()
	}
}

func (w *world) make(name string, words []string) {
	kind, parent := words[0], w.find(words[1]).ctx
	n := &node{name: name, mine: true}
	switch kind {
	case "child":
		n.ctx, n.cancel = context.WithCancelCause(parent)
	case "deadline":
		if words[2] == "never" {
			n.ctx, n.cancel = context.WithCancelCause(parent)
		} else {
			n.ctx, n.cancel = timed(context.WithDeadlineCause(parent, w.instant(words[2]), &cause{"deadline_exceeded", name}))
		}
	case "timeout":
		ms, _ := strconv.ParseInt(words[2], 10, 64)
		n.ctx, n.cancel = timed(context.WithTimeout(parent, time.Duration(ms)*time.Millisecond))
	case "value":
		var value any
		if words[3] != "nil" {
			value = words[3]
		}
		n.ctx = context.WithValue(parent, keys[words[2]], value)
	case "detach":
		n.ctx, n.cancel = context.WithCancelCause(context.WithoutCancel(parent))
	case "bare":
		n.ctx = context.WithoutCancel(parent)
	default:
		giveUp("cannot make:", kind)
	}
	w.nodes = append(w.nodes, n)
}

func (w *world) after(name, of string) {
	c := &callback{of: w.find(of)}
	w.callbacks[name] = c
	c.stop = context.AfterFunc(c.of.ctx, func() {
		c.saw.Store(state(c.of.ctx))
		w.lock.Lock()
		w.order = append(w.order, name)
		w.lock.Unlock()
		c.runs.Add(1)
	})
}

// ---- asking ----

func nameOf(why error) string {
	var own *cause
	switch {
	case errors.As(why, &own):
		return own.name
	case why == context.Canceled:
		return "canceled"
	case why == context.DeadlineExceeded:
		return "deadline_exceeded"
	}
	return "?"
}

func state(ctx context.Context) string {
	closed := false
	select {
	case <-ctx.Done():
		closed = true
	default:
	}
	err, why := ctx.Err(), context.Cause(ctx)
	switch {
	case closed != (err != nil) || closed != (why != nil):
		return "disagrees with itself"
	case err == context.Canceled:
		return "canceled " + nameOf(why)
	case err == context.DeadlineExceeded:
		return "timeout " + nameOf(why)
	case err == nil:
		return "open"
	}
	return "?"
}

func whose(ctx context.Context) string {
	var own *cause
	if errors.As(context.Cause(ctx), &own) {
		return own.by
	}
	if ctx.Err() == nil {
		return "nobody's"
	}
	return "unknown"
}

func value(ctx context.Context, name string) string {
	if v := ctx.Value(keys[name]); v != nil {
		return v.(string)
	}
	return "none"
}

func (w *world) all() string {
	var parts []string
	for _, n := range w.nodes {
		if !n.mine && n.holds == 0 {
			continue
		}
		by := ""
		if why := context.Cause(n.ctx); why != nil && why != context.Canceled {
			by = " by " + whose(n.ctx)
		}
		parts = append(parts, fmt.Sprintf("%s:%s%s %s %s %s %s", n.name, state(n.ctx), by, w.deadline(n.ctx),
			value(n.ctx, "k"), value(n.ctx, "l"), value(n.ctx, "m")))
	}
	return strings.Join(parts, ", ")
}

func await(ctx context.Context) string {
	select {
	case <-ctx.Done():
	case <-time.After(patience):
	}
	return state(ctx)
}

// Waits for what runs in a goroutine of its own; of what is not to run, a moment.
func (c *callback) ran(expected string) string {
	want, _ := strconv.Atoi(expected)
	for until := time.Now().Add(patience); int(c.runs.Load()) < want && time.Now().Before(until); {
		time.Sleep(10 * time.Microsecond)
	}
	if want == 0 {
		time.Sleep(100 * time.Microsecond)
	}
	return strconv.Itoa(int(c.runs.Load()))
}

// ---- a line ----

func (w *world) cancel(n *node, words []string) string {
	if n.cancel == nil {
		return "false"
	}
	before := n.ctx.Err()
	if len(words) == 0 {
		n.cancel(nil)
		return strconv.FormatBool(before == nil)
	}
	why := &cause{words[0], n.name}
	n.cancel(why)
	return strconv.FormatBool(context.Cause(n.ctx) == error(why))
}

func (w *world) do(words []string, expected string) string {
	if len(words) > 2 && words[1] == "=" {
		if words[2] == "after" || words[2] == "inline" {
			w.after(words[0], words[3])
		} else {
			w.make(words[0], words[2:])
		}
		return ""
	}
	switch words[0] {
	case "all":
		return w.all()
	case "order":
		w.lock.Lock()
		defer w.lock.Unlock()
		return strings.Join(w.order, " ")
	case "stop":
		return strconv.FormatBool(w.findCallback(words[1]).stop())
	case "ran":
		return w.findCallback(words[1]).ran(expected)
	case "saw":
		c := w.findCallback(words[1])
		c.ran("1")
		return fmt.Sprint(c.saw.Load())
	}
	n := w.find(words[1])
	switch words[0] {
	case "see":
		return state(n.ctx)
	case "await":
		return await(n.ctx)
	case "whose":
		return whose(n.ctx)
	case "deadline":
		return w.deadline(n.ctx)
	case "cancellable":
		return strconv.FormatBool(n.ctx.Done() != nil)
	case "value":
		return value(n.ctx, words[2])
	case "cancel":
		return w.cancel(n, words[2:])
	case "end":
		n.mine = false
		if n.cancel != nil {
			n.cancel(&cause{"ended", n.name})
		}
	case "hold":
		n.holds++
	case "release":
		n.holds--
	default:
		giveUp("no such verb:", words[0])
	}
	return ""
}

func begin() *world {
	return &world{begun: time.Now(), callbacks: map[string]*callback{}}
}

func (w *world) end() {
	for _, n := range w.nodes {
		if n.cancel != nil {
			n.cancel(nil)
		}
	}
	for name, c := range w.callbacks {
		if c.runs.Load() > 1 {
			giveUp("ran more than once:", name)
		}
	}
}

// ---- files ----

func runFile(path string, out *bufio.Writer) {
	text, err := os.ReadFile(path)
	if err != nil {
		giveUp(err)
	}
	w, lines := begin(), strings.Split(string(text), "\n")
	for i, line := range lines {
		place = fmt.Sprintf("%s:%d", path, i+1)
		done, expected, _ := strings.Cut(line, "->")
		words := strings.Fields(done)
		if i+1 < len(lines) && strings.HasPrefix(strings.TrimSpace(lines[i+1]), "go ->") {
			_, expected, _ = strings.Cut(lines[i+1], "->")
			expected, _, _ = strings.Cut(expected, " : ")
		}
		switch {
		case strings.HasPrefix(line, "case "):
			w.end()
			w = begin()
		case len(words) == 0 || line[0] != ' ' || words[0] == "#" || words[0] == "go":
		default:
			if result := w.do(words, strings.TrimSpace(expected)); result != "" {
				fmt.Fprintf(out, "%s\t%s\n", place, result)
			}
		}
	}
	w.end()
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for _, path := range os.Args[1:] {
		runFile(path, out)
	}
}
