//go:build tools

// Package tools pins the etcd server that the demo and the tests run where no
// ready-made binaries are at hand. It stands apart from Kubernetes' module
// because the two need versions that exclude each other.
package tools

import _ "go.etcd.io/etcd/server/v3"
