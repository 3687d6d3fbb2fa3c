//go:build tools

// Package tools pins the Prometheus operator, whose CRDs ServiceMonitors and PrometheusRules are held against.
package tools

import _ "github.com/prometheus-operator/prometheus-operator/cmd/operator"
