//go:build tools

// Package etcd names the store behind the API servers of the end-to-end tests, so that its modules are pinned in go.sum.
package etcd

import _ "go.etcd.io/etcd/server/v3"
