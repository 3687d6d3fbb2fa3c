//go:build tools

// Package tools pins Argo CD: its repo-server, its application controller and
// its command are one program.
package tools

import _ "github.com/argoproj/argo-cd/v3/cmd"
