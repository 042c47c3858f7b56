/** Resolvers with validation on, and one trust anchor: that of a zone on loopback. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ResolverKind } from "./resolvers.ts";

/** @param ds presentation form of the zone's DS record, as a whole */
export const validators = (ds: string): readonly ResolverKind[] => [
  {
    name: "Unbound",
    component: "unbound",
    command: "unbound",
    knowsSubnets: true,
    configure(folder, port, zone, upstream) {
      writeFileSync(
        join(folder, "unbound.conf"),
        `server:
  interface: 127.0.0.1@${port}
  access-control: 127.0.0.0/8 allow
  username: ""
  chroot: ""
  directory: "${folder}"
  pidfile: ""
  use-syslog: no
  num-threads: 1
  module-config: "subnetcache validator iterator"
  trust-anchor: "${ds}"
  val-log-level: 2
  do-not-query-localhost: no
  send-client-subnet: 127.0.0.1
  client-subnet-always-forward: yes
remote-control:
  control-enable: no
stub-zone:
  name: ${zone}
  stub-addr: 127.0.0.1@${upstream}
`,
      );
      return ["-d", "-c", join(folder, "unbound.conf")];
    },
  },
  {
    name: "PowerDNS Recursor",
    component: "pdns-recursor",
    command: "pdns_recursor",
    knowsSubnets: true,
    configure(folder, port, zone, upstream) {
      writeFileSync(join(folder, "anchors.lua"), `addTA("${zone}", "${ds.split(/\sDS\s/)[1]}")\n`);
      writeFileSync(
        join(folder, "recursor.conf"),
        `local-address=127.0.0.1
local-port=${port}
socket-dir=${folder}
daemon=no
disable-syslog=yes
dnssec=validate
dnssec-log-bogus=yes
lua-config-file=${join(folder, "anchors.lua")}
threads=1
hint-file=no
security-poll-suffix=
setuid=
setgid=
dont-query=
forward-zones=${zone}=127.0.0.1:${upstream}
edns-subnet-allow-list=127.0.0.1/32
use-incoming-edns-subnet=yes
`,
      );
      return [`--config-dir=${folder}`];
    },
  },
];
