//go:build tools

// Package tools pins Flux's source-controller, with which the tests of the
// GitOps manifests fetch from Git.
package tools

import _ "github.com/fluxcd/source-controller"
