/** Real resolvers in front of a server on loopback, each a process of its own with the test's folder as its home. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { dig } from "./dig.ts";
import { freePort } from "./free-port.ts";

export interface ResolverKind {
  readonly name: string;
  /** As `npm run components` knows it. */
  readonly component: string;
  readonly command: string;
  /** Passes client subnets on and keeps answers by their scope. */
  readonly knowsSubnets: boolean;
  /** Writes its configuration. @returns the command's arguments */
  readonly configure: (folder: string, port: number, zone: string, upstream: number) => readonly string[];
}

/** Longest client prefixes that these resolvers tell upstreams, as is usual. */
const MAX_V4 = 24;
const MAX_V6 = 56;

/** `stub` and `forward-zones` ask our server as an authoritative one: no root, no recursion, no validation. */
export const RESOLVERS: readonly ResolverKind[] = [
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
  module-config: "subnetcache iterator"
  do-not-query-localhost: no
  send-client-subnet: 127.0.0.1
  client-subnet-always-forward: yes
  max-client-subnet-ipv4: ${MAX_V4}
  max-client-subnet-ipv6: ${MAX_V6}
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
      writeFileSync(
        join(folder, "recursor.conf"),
        `local-address=127.0.0.1
local-port=${port}
socket-dir=${folder}
daemon=no
disable-syslog=yes
dnssec=off
threads=1
hint-file=no
security-poll-suffix=
setuid=
setgid=
dont-query=
forward-zones=${zone}=127.0.0.1:${upstream}
edns-subnet-allow-list=127.0.0.1/32
use-incoming-edns-subnet=yes
ecs-ipv4-bits=${MAX_V4}
ecs-ipv6-bits=${MAX_V6}
`,
      );
      return [`--config-dir=${folder}`];
    },
  },
  {
    name: "Knot Resolver",
    component: "knot-resolver",
    command: "kresd",
    knowsSubnets: false,
    configure(folder, port, zone, upstream) {
      writeFileSync(
        join(folder, "kresd.conf"),
        `net.listen('127.0.0.1', ${port}, { kind = 'dns' })
trust_anchors.remove('.')
modules.unload('ta_update')
modules.unload('ta_signal_query')
modules.unload('priming')
modules.unload('detect_time_skew')
policy.add(policy.suffix(policy.STUB('127.0.0.1@${upstream}'), policy.todnames({'${zone}.'})))
cache.open(10*MB, 'lmdb://${join(folder, "cache")}')
cache.min_ttl(0) -- by default nothing is kept for less than five seconds
`,
      );
      return ["-n", "-c", join(folder, "kresd.conf"), folder];
    },
  },
];

export interface Resolver {
  readonly port: number;
  readonly stop: () => Promise<void>;
}

const READY_MS = 20_000;

/**
 * @param zone      that the server on 127.0.0.1:`upstream` answers for
 * @param readyFor  a name in it that has an address: the resolver is ready once it answers it
 * @param givenPort where it listens on 127.0.0.1; a free one if absent
 * @throws with what it wrote, when it ends or does not answer in time
 */
export async function startResolver(
  kind: ResolverKind,
  zone: string,
  upstream: number,
  readyFor: string,
  givenPort?: number,
): Promise<Resolver> {
  const folder = mkdtempSync(join(tmpdir(), "globalroute-resolver-"));
  mkdirSync(join(folder, "cache"));
  const port = givenPort ?? (await freePort());
  const child = spawn(kind.command, kind.configure(folder, port, zone, upstream), { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      log += text;
    });
  }
  const stop = async (): Promise<void> => {
    await end(child);
    rmSync(folder, { recursive: true, force: true });
  };
  const deadline = AbortSignal.timeout(READY_MS);
  while (!(await answers(port, readyFor))) {
    if (deadline.aborted || child.exitCode !== null) {
      await stop();
      throw new Error(`${kind.name} did not become ready (exit code ${child.exitCode}):\n${log}`);
    }
    await setTimeout(100);
  }
  return { port, stop };
}

const answers = (port: number, name: string): Promise<boolean> =>
  dig(port, name, "A").then(
    (reply) => reply.answers.length > 0,
    () => false,
  );

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, "exit");
  child.kill("SIGTERM");
  const killer = AbortSignal.timeout(5000);
  killer.addEventListener("abort", () => child.kill("SIGKILL"));
  await exit;
}
