//go:build tools

// Package tools pins promtool, which checks and tests rules of alerts.
package tools

import _ "github.com/prometheus/prometheus/cmd/promtool"
