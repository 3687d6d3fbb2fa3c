//go:build tools

// Package tools pins kind, for machines that have none.
package tools

import _ "sigs.k8s.io/kind"
