#!/bin/sh
# Runs a command in network and process namespaces of its own, in which 198.18.0.0/15 (RFC 2544) and 2001:db8::/32 are this machine's own:
# EndpointSlices and prudent controllers refuse loopback addresses. What the command leaves running ends with it. Needs root or user namespaces.
set -eu
user=
[ "$(id -u)" = 0 ] || user=--map-root-user
exec unshare $user --net --pid --fork --kill-child --mount-proc sh -c '
  ip link set lo up
  ip addr add 198.18.0.1/15 dev lo
  ip -6 route add local 2001:db8::/32 dev lo
  echo 1 > /proc/sys/net/ipv6/ip_nonlocal_bind
  exec "$@"' sh "$@"
