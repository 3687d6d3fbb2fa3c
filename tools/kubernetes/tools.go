//go:build tools

// Package tools pins the Kubernetes commands that the demo and the tests run
// where no ready-made binaries are at hand.
package tools

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kubectl"
)
