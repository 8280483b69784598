//go:build tools

// Package tools makes go.mod keep the one program this module is for: see jaeger.sh.
package tools

import _ "github.com/jaegertracing/jaeger/cmd/jaeger"
