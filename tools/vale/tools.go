//go:build tools

// Package tools pins Vale, which checks the language of the documentation. From 3 on, Vale parses source code with C
// libraries: 2.30 is the last version that Go builds without a C compiler.
package tools

import _ "github.com/errata-ai/vale/v2/cmd/vale"
