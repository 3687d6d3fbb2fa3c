//go:build tools

// Package tools pins Flux's kustomize-controller, with which the tests of the
// GitOps manifests apply what Git says.
package tools

import _ "github.com/fluxcd/kustomize-controller"
