/** The rules of the house that no compiler checks: which room may import which, what is pure, and who may touch time, chance and sockets. */
import { codeOnly, type SourceFile } from "./source-tree.ts";

/** Lower rooms first. A room may import itself and rooms of a lower level; rooms of one level do not know each other. */
const LEVELS: readonly (readonly string[])[] = [
  ["src/model"],
  ["src/geo", "health", "src/observe"],
  ["src/routing", "src/notify"],
  ["src/dns", "src/proxy", "src/what-if"],
  ["dns-providers"],
  ["src/engine"],
  ["controller", "src/admin"],
  ["src/cli"],
];

/** Folders whose files are product code. */
export const ROOMS: readonly string[] = LEVELS.flat();

/** Pure: values in, values out. They import nothing from Node but types, and name none of its globals. An entry is a folder or a file. */
export const PURE: readonly string[] = [
  "src/model",
  "src/routing",
  "src/what-if",
  "src/proxy/edge-plan.ts",
  "src/proxy/envoy/ads-state.ts",
  "src/proxy/envoy/cluster.ts",
  "src/proxy/envoy/edge-route.ts",
  "src/proxy/envoy/listener.ts",
  "src/proxy/envoy/load-assignment.ts",
  "src/proxy/envoy/resource-set.ts",
  "src/proxy/envoy/route-configuration.ts",
  "src/proxy/envoy/subscription.ts",
  "src/proxy/envoy/turns.ts",
  "src/proxy/haproxy/layout.ts",
  "src/proxy/haproxy/names.ts",
  "src/proxy/haproxy/render-config.ts",
  "src/proxy/haproxy/runtime-plan.ts",
  "src/proxy/haproxy/seats.ts",
  "src/proxy/haproxy/servers-state.ts",
  "src/dns/wire",
  "src/dns/check/expectation.ts",
  "src/dns/check/judge-client-subnet.ts",
  "src/dns/check/judge-delegation.ts",
  "src/dns/check/judge-hosts.ts",
  "src/dns/check/judge-servers.ts",
  "src/dns/check/observations.ts",
  "src/dns/check/read-reply.ts",
  "src/dns/check/step.ts",
  "src/dns/dnssec/canonical.ts",
  "src/dns/dnssec/nsec.ts",
  "src/dns/dnssec/zone-key.ts",
  "src/dns/zone-nsec.ts",
  "src/dns/watch",
  "src/dns/zone-table.ts",
  "src/dns/answer.ts",
  "src/dns/answer-context.ts",
  "src/dns/denial.ts",
  "src/dns/reply.ts",
  "src/dns/route-answer.ts",
  "src/dns/sign-reply.ts",
  "src/dns/signed-answer.ts",
  "src/dns/slow/expected-sets.ts",
  "src/dns/slow/rings.ts",
  "src/dns/slow/rrset-signature.ts",
  "src/dns/slow/signature-cache.ts",
  "src/dns/answer-settings.ts",
  "src/dns/chaos.ts",
  "src/dns/cookies.ts",
  "src/dns/rate-limit.ts",
  "src/dns/siphash.ts",
  "src/proxy/embedded/front/allowance.ts",
  "src/proxy/embedded/front/certificate-index.ts",
  "src/proxy/embedded/front/client-places.ts",
  "src/proxy/embedded/front/front-counters.ts",
  "src/proxy/embedded/front/http2-request.ts",
  "src/proxy/embedded/front/proxy-protocol.ts",
  "src/proxy/embedded/http1",
  "src/notify/condense.ts",
  "src/notify/messages.ts",
  "src/notify/notification.ts",
  "src/notify/notifier.ts",
  "src/notify/notify-file.ts",
  "src/notify/outbox.ts",
  "src/observe/drill-legs.ts",
  "src/observe/drill-report.ts",
  "src/observe/drill.ts",
  "src/observe/exposition.ts",
  "src/observe/instruments.ts",
  "src/geo/build-geo-table.ts",
  "src/geo/distance.ts",
  "src/geo/equal-earth.ts",
  "src/geo/geo-table.ts",
  "src/geo/latency-model.ts",
  "src/geo/lookup.ts",
  "src/geo/partition.ts",
  "dns-providers/batches.ts",
  "dns-providers/change.ts",
  "dns-providers/contest.ts",
  "dns-providers/helper-sets.ts",
  "dns-providers/native",
  "dns-providers/powerdns/client-cut.ts",
  "dns-providers/powerdns/lua-policy.ts",
  "dns-providers/powerdns/lua-script.ts",
  "dns-providers/powerdns/lua-setup.ts",
  "dns-providers/powerdns/lua-text.ts",
  "dns-providers/powerdns/rrsets.ts",
  "dns-providers/powerdns/serving-pools.ts",
  "dns-providers/powerdns/whole-names.ts",
  "dns-providers/route53/alias-zones.ts",
  "dns-providers/route53/change-cost.ts",
  "dns-providers/route53/resource-record-set.ts",
  "dns-providers/sets-of.ts",
  "dns-providers/desired-sets.ts",
  "dns-providers/dnsendpoint/endpoint.ts",
  "dns-providers/dnsendpoint/news-in-words.ts",
  "dns-providers/dnsendpoint/part.ts",
  "dns-providers/dnsendpoint/placement.ts",
  "dns-providers/dnsendpoint/properties.ts",
  "dns-providers/dnsendpoint/zone-objects.ts",
  "dns-providers/delegation/delegation.ts",
  "dns-providers/delegation/judge-look.ts",
  "dns-providers/delegation/plan-delegations.ts",
  "dns-providers/fence.ts",
  "dns-providers/ownership.ts",
  "dns-providers/planner.ts",
  "dns-providers/provider.ts",
  "dns-providers/record-set.ts",
  "dns-providers/set-in-words.ts",
  "dns-providers/zone-plan.ts",
  "dns-providers/zone-sync.ts",
  "dns-providers/rfc2136/update-message.ts",
  "dns-providers/rfc2136/zone-reader.ts",
  "controller/reconcile",
  "controller/rollout",
  "controller/sources",
  "health/judge.ts",
  "health/quorum.ts",
  "health/distrust.ts",
  "health/failback.ts",
  "health/scheduler.ts",
  "health/monitor.ts",
  "health/probes/address-check.ts",
  "controller/peers/decode.ts",
  "controller/peers/decode-target.ts",
  "controller/peers/peer-exchange.ts",
  "controller/peers/peer-messages.ts",
  "controller/peers/peer-state.ts",
  "controller/peers/probe-share.ts",
  "controller/peers/programmed-book.ts",
  "controller/peers/programmed-feed.ts",
  "controller/peers/source-feed.ts",
  "controller/peers/sources-book.ts",
  "controller/peers/target-feed.ts",
  "controller/peers/vantage-exchange.ts",
  "controller/peers/vote-feed.ts",
  "controller/deletion/deletion-order.ts",
  "controller/status/cluster-status.ts",
  "controller/status/conditions.ts",
  "controller/status/event-object.ts",
  "controller/status/failover-digest.ts",
  "controller/status/memory-from-status.ts",
  "controller/status/override-status.ts",
  "controller/status/route-status.ts",
  "controller/status/same-status.ts",
  "controller/status/status-facts.ts",
  "controller/status/zone-status.ts",
];

/** Who may read clocks, roll dice or arm timers, each with its reason. Everyone else gets them as arguments. An entry is a folder or a file. */
export const PORTS: Readonly<Record<string, string>> = {
  "src/cli": "the composition root: builds the real clock, dice and timers",
  "src/admin/ui/hooks.ts": "the page's own clock, in the browser",
  "health/ports.ts": "the prober's real clock, dice and timers",
  "controller/kube/system-ports.ts": "the controller's real clock, dice and timers",
  "health/probes": "a probe measures its own latency and enforces its own deadline",
  "src/engine/compile-worker.ts": "a thread of its own, which says how long it compiled",
  "src/dns/fast/dns-worker.ts": "a thread of its own, which blocks in system calls: no other could hand it the time",
  "src/dns/slow/slow-worker.ts": "a thread of its own, which blocks while it waits: no other could hand it the time",
  "src/proxy/envoy/grpc-server.ts": "connections are asked whether they are still there by the timers that node:http2 has for them",
};

/** Who may open sockets, each with its reason. An entry is a folder or a file. */
export const SOCKETS: Readonly<Record<string, string>> = {
  "src/cli": "the composition root, and clients of our own admin API",
  "src/admin": "the HTTP server",
  "src/dns/udp-server.ts": "the DNS transport",
  "src/dns/tcp-server.ts": "the DNS transport",
  "src/dns/check/exchange.ts": "asks the servers of a zone that is checked",
  "src/dns/transfer/notify-socket.ts": "tells the holders of copies of changes",
  "src/dns/fast/libc.ts": "the DNS transport's system calls",
  "src/dns/resolver.ts": "asks the machine's resolvers for endpoints that are host names",
  "src/proxy/embedded/forward/connect-upstream.ts": "the embedded proxy's connections to endpoints over TLS",
  "src/proxy/embedded/forward/open-upstream.ts": "the embedded proxy's connections to endpoints",
  "src/proxy/embedded/forward/proxy-server.ts": "the embedded proxy's sockets",
  "src/proxy/embedded/front/http2-connection.ts": "HTTP/2 over connections that the embedded proxy has accepted",
  "src/proxy/embedded/front/tls-terminator.ts": "TLS over connections that the embedded proxy has accepted",
  "src/proxy/envoy/fleet-tls.ts": "the certificates with which Envoys are accepted",
  "src/proxy/envoy/grpc-server.ts": "accepts Envoys",
  "src/notify/delivery.ts": "tells receivers that operators named",
  "src/proxy/haproxy/runtime-socket.ts": "commands HAProxy over its own socket",
  "dns-providers/rfc2136/tcp-exchange.ts": "writes to and reads from servers that others run",
  "dns-providers/powerdns/http-exchange.ts": "writes to and reads from servers that others run",
  "health/probes": "probes connect to endpoints",
  "controller/peers/peer-client.ts": "connects to other instances",
  "controller/peers/peer-server.ts": "accepts other instances",
  "controller/kube/kube-agents.ts": "connects to API servers",
  "controller/kube/guarded-connector.ts": "connects to API servers that others named",
};

/** Programs that write or build parts of the project, and the page whose packages are built into its bundle; they are not published as they are. */
export const DEVELOPMENT: readonly string[] = [
  "src/admin/ui",
  "src/cli/build.ts",
  "src/cli/dashboard-build",
  "src/cli/generate.ts",
  "src/cli/image-packages.ts",
  "src/cli/image-root.ts",
  "src/cli/monitoring",
  "src/geo/data/generate-centroids.ts",
  "src/geo/data/generate-countries.ts",
  "src/proxy/envoy/api/generate-api.ts",
  "src/proxy/envoy/api/selection.ts",
];

const TIME_AND_CHANCE =
  /\bDate\.now\b|\bnew Date\(\s*\)|\bMath\.random\b|\bperformance\.now\b|\bprocess\.hrtime\b|\bset(?:Timeout|Interval|Immediate)\b|\bcrypto\.(?:randomUUID|getRandomValues)\b/g;
const NODE_GLOBALS = /\bprocess\.\w+|\bBuffer\.\w+|\b__dirname\b|\bimport\.meta\.\w+|(?<![.\w])fetch\(/g;
const SOCKET_MODULES = /^(?:node:)?(?:net|dgram|tls|http|https|http2|dns|dns\/promises)$|^undici$|^fastify$|^@grpc\/grpc-js$/;

const within = (path: string, entry: string): boolean => path === entry || path.startsWith(`${entry}/`);
const listed = (path: string, entries: Iterable<string>): boolean => [...entries].some((entry) => within(path, entry));
const roomOf = (path: string): string | undefined => ROOMS.find((room) => within(path, room));
const levelOf = (room: string): number => LEVELS.findIndex((level) => level.includes(room));

/** @returns one line for each import that goes up, sideways or out of the rooms */
export function importDirection(files: readonly SourceFile[]): readonly string[] {
  return files.flatMap((file) =>
    file.imports.flatMap(({ file: target, specifier, line }) => {
      if (target === undefined) return [];
      const from = roomOf(file.path);
      const to = roomOf(target);
      const where = `${file.path}:${line} imports ${specifier}`;
      if (from === undefined || to === undefined) return [`${where}: product code imports rooms only`];
      if (from === to || levelOf(to) < levelOf(from)) return [];
      return [`${where}: ${from} may not import ${to}, imports go down only`];
    }),
  );
}

/** @returns one line for each circle of files, type imports included: `a.ts → b.ts → a.ts` */
export function circles(files: readonly SourceFile[]): readonly string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const found = new Map<string, string>();
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (path: string): void => {
    const start = trail.indexOf(path);
    if (start >= 0) {
      const circle = trail.slice(start);
      found.set([...circle].sort().join(), [...circle, path].join(" → "));
    } else if (!done.has(path)) {
      trail.push(path);
      for (const { file } of byPath.get(path)?.imports ?? []) if (file !== undefined) visit(file);
      trail.pop();
      done.add(path);
    }
  };
  for (const file of files) visit(file.path);
  return [...found.values()];
}

/** @returns one line for each value import of Node, and each use of its globals, in a pure file */
export function impurities(files: readonly SourceFile[]): readonly string[] {
  return files
    .filter((file) => listed(file.path, PURE))
    .flatMap((file) => [
      ...file.imports
        .filter((one) => one.specifier.startsWith("node:") && !one.typeOnly)
        .map((one) => `${file.path}:${one.line} imports ${one.specifier}: a pure room imports nothing from Node but types`),
      ...uses(file, NODE_GLOBALS).map((use) => `${use}: a pure room takes what it needs as an argument`),
    ]);
}

/** @returns one line for each use of a clock, dice or timer outside {@link PORTS} */
export function ambientTime(files: readonly SourceFile[]): readonly string[] {
  return files
    .filter((file) => !listed(file.path, Object.keys(PORTS)))
    .flatMap((file) => uses(file, TIME_AND_CHANCE).map((use) => `${use}: time and chance are arguments`));
}

/** @returns one line for each value import of a socket module outside {@link SOCKETS} */
export function strayNetwork(files: readonly SourceFile[]): readonly string[] {
  return files
    .filter((file) => !listed(file.path, Object.keys(SOCKETS)))
    .flatMap((file) =>
      file.imports
        .filter((one) => SOCKET_MODULES.test(one.specifier) && !one.typeOnly)
        .map((one) => `${file.path}:${one.line} imports ${one.specifier}: the network is an argument`),
    );
}

/** @returns one line for each import of a package that the published manifest does not name */
export function undeclaredPackages(files: readonly SourceFile[], dependencies: Iterable<string>): readonly string[] {
  const declared = new Set(dependencies);
  return files
    .filter((file) => !listed(file.path, DEVELOPMENT))
    .flatMap((file) =>
      file.imports
        .filter(
          (one) => one.file === undefined && !one.typeOnly && !one.specifier.startsWith("node:") && !declared.has(packageOf(one.specifier)),
        )
        .map((one) => `${file.path}:${one.line} imports ${one.specifier}: it is not among the dependencies in package.json`),
    );
}

/** `@scope/name/deep/path` and `name/deep/path` without the path. */
const packageOf = (specifier: string): string =>
  specifier
    .split("/")
    .slice(0, specifier.startsWith("@") ? 2 : 1)
    .join("/");

/** @returns the entries of a list above that name nothing any more */
export function staleEntries(entries: Iterable<string>, files: readonly SourceFile[]): readonly string[] {
  return [...entries].filter((entry) => !files.some((file) => within(file.path, entry)));
}

function uses(file: SourceFile, pattern: RegExp): readonly string[] {
  const code = codeOnly(file.text);
  return [...code.matchAll(pattern)].map((match) => `${file.path}:${code.slice(0, match.index).split("\n").length} uses ${match[0]}`);
}
