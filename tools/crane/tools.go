//go:build tools

// Package tools pins crane, which copies and serves images.
package tools

import _ "github.com/google/go-containerregistry/cmd/crane"
