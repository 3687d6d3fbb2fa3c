//go:build tools

// Package tools pins kustomize, which renders install.yaml.
package tools

import _ "sigs.k8s.io/kustomize/kustomize/v5"
