# Keeps a HAProxy running that GlobalRoute programs, as POSIX sh: sh -c "$(cat haproxy.sh)" haproxy FOLDER [CERTIFICATE…]
# FOLDER is the member's, below --haproxy-dir. Certificates are files whose keys are beside them (.key); when one changes HAProxy is reloaded.
# It waits until there is a configuration and starts HAProxy anew when it ends: a container that ended would make the whole pod unready, and
# take DNS out of service. SIGUSR1 or SIGTERM lets connections end, and then it ends. (Two dollars in a row would be one to the kubelet.)
set -u
folder=$1
shift
most=262144 # HAProxy makes room for as many files as it may open, which some runtimes leave without a bound
if [ "$(ulimit -n)" = unlimited ] || [ "$(ulimit -n)" -gt "$most" ]; then ulimit -n "$most"; fi

stopping=
trap 'stopping=yes' USR1 TERM INT
pause() { sleep "$1" & wait "$!"; } # a signal ends it
stamp() { if [ "$#" -gt 0 ]; then cat "$@" 2>/dev/null | cksum; fi; }

[ -s "$folder/haproxy.cfg" ] || echo "waiting for $folder/haproxy.cfg: is there such a ProxyFleet with such a member?" >&2
while [ -z "$stopping" ]; do
  if [ -s "$folder/haproxy.cfg" ]; then
    shown=$(stamp "$@")
    haproxy -W -db -S "$folder/master.sock" -f "$folder/haproxy.cfg" &
    haproxy=$!
    while kill -0 "$haproxy" 2>/dev/null; do
      pause 1
      now=$(stamp "$@")
      if [ -n "$stopping" ]; then
        kill -USR1 "$haproxy" 2>/dev/null # again and again: a master that is reloading loses signals
      elif [ "$now" != "$shown" ]; then
        shown=$now
        kill -USR2 "$haproxy" # reload
      fi
    done
    wait "$haproxy"
    echo "haproxy ended with $?" >&2
  fi
  [ -n "$stopping" ] || pause 2
done
