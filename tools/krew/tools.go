//go:build tools

// Package tools pins krew, which installs plugins of kubectl.
package tools

import _ "sigs.k8s.io/krew/cmd/krew"
