//go:build tools

// Package tools pins the rate limit service of Envoy, which is built as it is.
package tools

import _ "github.com/envoyproxy/ratelimit/src/service_cmd"
