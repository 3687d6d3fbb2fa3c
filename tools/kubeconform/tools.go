//go:build tools

// Package tools pins kubeconform, which holds manifests against the schemas of
// their kinds.
package tools

import _ "github.com/yannh/kubeconform/cmd/kubeconform"
