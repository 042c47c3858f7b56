//go:build tools

// Package apiserver names the programs that the end-to-end tests are run against, so that their modules are pinned in go.sum.
package apiserver

import (
	_ "k8s.io/kubernetes/cmd/kube-apiserver"
	_ "k8s.io/kubernetes/cmd/kube-controller-manager"
)
