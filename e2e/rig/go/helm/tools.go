//go:build tools

// Package tools pins the commands that the rig builds from this module.
package tools

import (
	_ "helm.sh/helm/v3/cmd/helm"
)
