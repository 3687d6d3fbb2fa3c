//go:build tools

// Package tools pins kube-score, which looks at manifests for what commonly
// goes wrong in a cluster.
package tools

import _ "github.com/zegl/kube-score/cmd/kube-score"
