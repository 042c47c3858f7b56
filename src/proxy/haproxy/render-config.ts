/**
 * haproxy.cfg for a layout, with the endpoints of now, so that a HAProxy that is restarted while nobody can tell it anything serves by the last
 * that was known. Pure.
 *
 * ```
 *               host, client                       first try
 * client ─► edge ───────────► backend shop:web ─┬─► direct1 or 2 ─────► the endpoint that serves, while it is one alone
 *                                               ├─► serving ─┐
 *                                               ├─► next     ├─► ranks ─► backend shop:web_serving ─► endpoints, by weight or hash
 *                                               └─► last  ───┘                    …_next, …_last   ─► of one cluster each
 * ```
 *
 * Why there are ranks, which are a second pass through HAProxy over a Unix socket: a retry never leaves its backend. With a backend for each
 * tier, chosen by `nbsrv`, the retries of a request that met a dead cluster go to the same cluster until somebody has found it down. `backup`
 * servers are used only once all others are marked down; to have the cluster marked down by 503s or by silence, HAProxy must count each 500 as
 * well, and then whoever finds an address that answers 500 can take a service with little traffic off the net. And a server of a small weight
 * gets requests when all is well. So a plan's backend has the ranks as its servers: `use-server` brings every first try to who serves, and
 * `balance first` a retry to `next`, then to `last`, which are different clusters. Inside a rank it is HAProxy's own balancing, by weights or
 * by a consistent hash. Where one endpoint serves, nothing is to be balanced, and the first try goes to it without the second pass.
 *
 * What `direct…` and `serving` do by themselves: after three failed connections in a row they leave an endpoint out until a connection
 * succeeds again; then first tries go to `next`. A rank tries again when a *connection* fails, which is safe for every method. All else is
 * our judgement.
 */
import { ms } from "../../model/units.ts";
import { hashText } from "../../routing/hash.ts";
import { DEFAULT_HTTP, httpWord, type TryRules, tryRules } from "./http-rules.ts";
import type { Layout, MapEntry, MapName, PlanBackends, RankServers, WantedServer } from "./layout.ts";
import { DIRECT, RANKS, type Rank, rankBackend } from "./names.ts";
import { limitLines } from "./render-limits.ts";
import { type Seat, seat, seatsFor } from "./seats.ts";

export interface ConfigOptions {
  /** Absolute; holds the maps and the sockets between the two passes. */
  readonly folder: string;
  /** Absolute path of the socket that we command it by. */
  readonly adminSocket: string;
  readonly listen: readonly { readonly address: string; readonly port: number; readonly certificate?: string }[];
  /** Proxies in front of it whose word on who the client is counts: the client is so many from the end of X-Forwarded-For. 0 if not given. */
  readonly trustedHops?: number;
  /**
   * Whom HAProxy becomes once it has its ports; absent: it stays who started it. Members of the group may command it. Its folder must be open to
   * them. No `chroot` is written: there the sockets between the two passes are out of reach.
   */
  readonly runAs?: { readonly user: string; readonly group: string };
  /** How many clients it must be able to serve at a time, by which its file descriptors are counted; 1,000 if not given. */
  readonly clients?: number;
  /** Milliseconds, for one try. */
  readonly connectTimeout: number;
  /** Milliseconds that a client may be silent. */
  readonly clientTimeout: number;
}

/** Methods that a request may be repeated with (RFC 9110 §9.2.2). */
const IDEMPOTENT = "GET HEAD OPTIONS PUT DELETE";
/** Milliseconds that HAProxy waits before it connects to the same server again. */
const TURN_AROUND = 1000;
const CONNECT_RETRIES = 3;
/** Of routes that say nothing. */
const DEFAULTS = tryRules(DEFAULT_HTTP);
/** What a server has that stands for nobody yet: nothing listens there, and it is in maintenance. */
const NOBODY = "127.0.0.1:1";

/** What HAProxy tells of itself in `show info`, by which its configuration is known again. */
export const describeConfig = (fingerprint: string): string => `globalroute ${fingerprint}`;

/**
 * @param present servers that a running HAProxy has, by backend: they keep their endpoints and never become fewer
 * @throws Error when an option cannot be written down; routes cannot bring that about
 */
export function renderConfig(layout: Layout, present: ReadonlyMap<string, readonly Seat[]>, options: ConfigOptions): string {
  checkFolder(options.folder);
  const lines = [
    ...head(options, fingerprintOf(layout, options)),
    ...edge(options),
    ...ranks(options),
    ...tries(),
    ...layout.plans.flatMap((plan) => [
      ...outer(plan, options),
      ...DIRECT.map(
        (name, i) =>
          `    server ${name} ${i > 0 || plan.direct === undefined ? `${NOBODY} disabled weight 0` : `${at(plan.direct)} weight 1`}${checks(plan)}`,
      ),
      ...plan.ranks.flatMap((rank) => [...inner(plan, rank, options), ...servers(rank, present.get(rank.name) ?? [])]),
    ]),
  ];
  return `${lines.join("\n")}\n`;
}

/** Of all but the servers: a HAProxy that tells another one was started from another configuration. 16 hexadecimal digits. */
export function fingerprintOf({ plans }: Layout, options: ConfigOptions): string {
  const text = [
    ...[head(options, ""), edge(options), ranks(options), tries(), sample(options)].flat(),
    // What their lines say follows from these, and there are thousands.
    ...plans.map(({ name, sticky, tls, http }) => `${name} ${sticky} ${tls?.caFile} ${http === undefined ? "" : httpWord(http)}`),
  ].join("\n");
  return [text, `again ${text}`].map((half) => hashText(half).toString(16).padStart(8, "0")).join("");
}

/** Plans with everything that plans can have, so that a newer version of this file makes another fingerprint. */
function sample(options: ConfigOptions): readonly string[] {
  const plan = { name: "sample", sticky: true, tls: { caFile: "/ca" }, siblings: ["sample", "other"], direct: undefined, ranks: [] };
  const limited = { ...DEFAULT_HTTP, limits: { concurrentRequests: 1, bodyBytes: 1 } };
  const others = [0, 1, 5].map((attempts) => ({
    requestTimeout: ms(1),
    retry: { attempts, attemptTimeout: ms(1), codes: [] },
    limits: {},
  }));
  return [undefined, limited, ...others].flatMap((http) => {
    const one: PlanBackends = { ...plan, http };
    return [...outer(one, options), checks(one), ...RANKS.flatMap((rank) => inner(one, { name: rank, rank, servers: [] }, options))];
  });
}

/** A path of a map, as the configuration has it and commands name it. */
export const mapFile = ({ folder }: Pick<ConfigOptions, "folder">, name: MapName): string => `${folder}/${name}.map`;

export const mapText = (entries: readonly MapEntry[]): string => entries.map(([key, value]) => `${key} ${value}\n`).join("");

const head = (options: ConfigOptions, fingerprint: string): readonly string[] => [
  "# Written by GlobalRoute, and again whenever something changes. What is changed here is lost.",
  "global",
  `    description ${describeConfig(fingerprint)}`,
  `    stats socket ${quote(options.adminSocket)}${owner(options)} mode ${options.runAs === undefined ? 600 : 660} level admin expose-fd listeners`,
  ...(options.runAs === undefined ? [] : [`    user ${quote(options.runAs.user)}`, `    group ${quote(options.runAs.group)}`]),
  "defaults ours",
  "    mode http",
  // After a reload an idle connection ends with its next answer, or for want of a request: closed at once, it would take a request with it.
  "    option idle-close-on-response",
  `    timeout connect ${options.connectTimeout}ms`,
  `    timeout client ${options.clientTimeout}ms`,
  `    timeout server ${DEFAULTS.patience}ms`,
  `    timeout queue ${options.connectTimeout}ms`,
  "    timeout http-request 30s",
  "    timeout tunnel 1h",
  "    option redispatch 1",
  `    retries ${CONNECT_RETRIES}`,
];

const edge = (options: ConfigOptions): readonly string[] => [
  "frontend edge from ours",
  ...options.listen.map(({ address, port, certificate }) => {
    const tls = certificate === undefined ? "" : ` ssl crt ${quote(certificate)} alpn h2,http/1.1`;
    return `    bind ${quote(address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`)}${tls}`;
  }),
  ...client(options),
  "    http-request set-header x-forwarded-proto https if { ssl_fc }",
  "    http-request set-header x-forwarded-proto http if !{ ssl_fc }",
  ...ways(options),
  `    http-request disable-l7-retry if !{ method ${IDEMPOTENT} }`,
  "    use_backend %[var(txn.plan)]",
];

/** By which either pass finds a request's plan: from its host and its client. */
const ways = (options: ConfigOptions): readonly string[] => [
  "    http-request set-var(txn.host) req.hdr(host),field(1,:),lower,regsub(\\.$,)",
  `    http-request set-var(txn.route) var(txn.host),${mapLookup("map_str", "hosts", options)}`,
  `    http-request set-var(txn.route) var(txn.host),${mapLookup("map_end", "wildcards", options)} if !{ var(txn.route) -m found }`,
  '    http-request return status 404 content-type text/plain string "No route has this host." if !{ var(txn.route) -m found }',
  `    http-request set-var(txn.class) src,${mapLookup("map_ip", "clients", options)}`,
  `    http-request set-var(txn.plan) var(txn.route),concat(:,txn.class),${mapLookup("map_str", "plans", options)} if { var(txn.class) -m found }`,
  "    http-request set-var(txn.plan) var(txn.route) if !{ var(txn.plan) -m found }",
];

/** Clusters see a list to which each proxy has added who connected to it, as ever; who is the client counts for rules and stickiness. */
const client = ({ trustedHops = 0 }: ConfigOptions): readonly string[] =>
  trustedHops === 0
    ? ["    option forwardfor"]
    : [
        "    http-request set-var(txn.peer) src",
        // A list that is too short, or no address there: then it is who connected.
        `    http-request set-src req.hdr_ip(x-forwarded-for,-${trustedHops})`,
        "    http-request add-header x-forwarded-for %[var(txn.peer)]",
      ];

const ranks = ({ trustedHops = 0, ...options }: ConfigOptions): readonly string[] => [
  "frontend ranks from ours",
  ...RANKS.map((rank) => `    bind ${quote(rankSocket(options, rank))}${owner(options)} mode 600 name ${rank}`),
  "    timeout client 1h", // the first pass closes what it does not use: a connection that ends here may have a request on its way
  // The first pass has added who connected to it, so the client is one further from the end than it was there.
  "    http-request set-src req.hdr_ip(x-forwarded-for,-1)",
  ...(trustedHops === 0 ? [] : [`    http-request set-src req.hdr_ip(x-forwarded-for,-${trustedHops + 1})`]),
  ...ways(options),
  `    http-request disable-l7-retry if !{ method ${IDEMPOTENT} }`,
  "    use_backend %[var(txn.plan)]_%[so_name]",
];

/** Of all backends. A plan's own rules come after these. */
const tries = (): readonly string[] => ["defaults tries from ours", waitOnce(DEFAULTS.patienceOnce)];

const waitOnce = (time: number): string => `    http-request set-timeout server ${time}ms if !{ method ${IDEMPOTENT} }`;

function outer(plan: PlanBackends, options: ConfigOptions): readonly string[] {
  const { name, http = DEFAULT_HTTP } = plan;
  const rules = tryRules(http);
  return [
    `backend ${name}`,
    "    balance first",
    `    retries ${rules.retries}`,
    `    retry-on ${rules.retryOn.join(" ")}`,
    `    timeout server ${rules.leavesSilent ? wholeTry(rules, options) : rules.patience}ms`,
    ...limitLines(plan, http),
    // A worker that was reloaded counts no servers of its own, and is told nothing any more, but still has clients; whom it connects to for a
    // rank is the new worker.
    ...DIRECT.map(
      (server) =>
        `    http-request set-timeout server ${rules.patience}ms if { srv_is_up(${name}/${server}) } { method ${IDEMPOTENT} } !{ stopping }`,
    ),
    ...ownWait(rules),
    ...DIRECT.map((server) => `    use-server ${server} if { srv_is_up(${name}/${server}) } !{ stopping }`),
    // One that is in use and found down is not tried again by way of its rank.
    `    use-server serving if { nbsrv(${rankBackend(name, "serving")}) gt 0 } ${DIRECT.map((server) => `{ srv_uweight(${name}/${server}) eq 0 }`).join(" ")} || { stopping }`,
    `    use-server next if { nbsrv(${rankBackend(name, "next")}) gt 0 } || { stopping }`,
    // Weight 0: `use-server` alone brings it requests, a retry never does. A retry does not get past the next two.
    ...RANKS.map((rank, i) => `    server ${rank} ${quote(rankSocket(options, rank))}${i === 0 ? " weight 0" : ""}`),
  ];
}

/** A rank must have had its say: all its tries to connect, and one to get an answer. */
const wholeTry = ({ patience }: TryRules, { connectTimeout }: ConfigOptions): number =>
  (CONNECT_RETRIES + 1) * (connectTimeout + TURN_AROUND) + patience;

const ownWait = ({ patienceOnce }: TryRules): readonly string[] => (patienceOnce === DEFAULTS.patienceOnce ? [] : [waitOnce(patienceOnce)]);

/**
 * Checks find out only that a server that refused connections accepts them again, so they are rare until one has done so. For each server that
 * may be checked HAProxy sets a file descriptor aside; who gets the first tries of nobody is worth none.
 */
const CHECKS = "check inter 30s fastinter 1s downinter 1s rise 1 fall 3 observe layer4 error-limit 3 on-error mark-down";

const verification = (caFile: string): string => `ssl verify required ca-file ${quote(caFile)} sni req.hdr(host),field(1,:) no-check-ssl`;

const checks = ({ tls }: PlanBackends): string => ` ${CHECKS}${tls === undefined ? "" : ` ${verification(tls.caFile)}`}`;

function inner({ sticky, tls, http = DEFAULT_HTTP }: PlanBackends, { name, rank }: RankServers, options: ConfigOptions): readonly string[] {
  const rules = tryRules(http);
  // Whoever is not to be left when silent is waited for by the first pass alone.
  const patience = rules.leavesSilent ? rules.patience : wholeTry(rules, options);
  return [
    `backend ${name}`,
    ...(patience === DEFAULTS.patience ? [] : [`    timeout server ${patience}ms`]),
    ...ownWait(rules),
    // The first pass learns of them by a connection that says nothing, which it can tell from an endpoint's own answer.
    ...rules.unnamed.map((status) => `    errorfile ${status} /dev/null`),
    ...(sticky && rank === "serving"
      ? ["    balance hash src,ipmask(24,48)", "    hash-type consistent sdbm avalanche"]
      : ["    balance roundrobin"]),
    ...(rank === "serving" ? [`    default-server ${CHECKS}`] : []),
    ...(tls === undefined ? [] : [`    default-server ${verification(tls.caFile)}`]),
  ];
}

/** How many servers a rank is given. */
export const serversOf = ({ servers: wanted }: RankServers, present: readonly Seat[]): number =>
  Math.max(seatsFor(wanted.length), present.length);

function servers(rank: RankServers, present: readonly Seat[]): readonly string[] {
  const { servers: wanted } = rank;
  const count = serversOf(rank, present);
  const all = Array.from({ length: count }, (_, i): Seat => present[i] ?? { address: "127.0.0.1", port: 1, isReady: false });
  const { seats } = seat(wanted, all);
  const used = seats.findLastIndex((one) => one !== undefined) + 1;
  const free = used < count ? [`    server-template s ${used + 1}-${count} ${NOBODY} disabled`] : [];
  return [...seats.slice(0, used).map((one, i) => `    server s${i + 1} ${serverAt(one)}`), ...free];
}

function serverAt(wanted: WantedServer | undefined): string {
  if (wanted === undefined) return `${NOBODY} disabled`;
  return wanted.weight > 0 ? `${at(wanted)} weight ${wanted.weight}` : `${at(wanted)} disabled`;
}

const at = ({ address, port }: WantedServer): string => (address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`);

/** It stands inside expressions, which have no quoting of their own. */
function checkFolder(folder: string): void {
  if (!/^\/[a-zA-Z0-9@%+=:./_-]+$/.test(folder)) {
    throw new Error(
      `${JSON.stringify(folder)} cannot be HAProxy's folder: name it by an absolute path of letters, digits and -_.:/@%+= alone.`,
    );
  }
}

const owner = ({ runAs }: ConfigOptions): string => (runAs === undefined ? "" : ` user ${quote(runAs.user)} group ${quote(runAs.group)}`);
const rankSocket = ({ folder }: ConfigOptions, rank: Rank): string => `unix@${folder}/${rank}.sock`;
const mapLookup = (converter: string, name: MapName, options: ConfigOptions): string => quote(`${converter}(${mapFile(options, name)})`);

/**
 * A word as HAProxy's configuration quotes it: between single quotes nothing has a meaning.
 *
 * @throws Error for what no quoting can hold; only options hold such text, never objects
 */
function quote(text: string): string {
  if (/^[a-zA-Z0-9@%+=:,./_()[\]-]+$/.test(text)) return text;
  if (/['\p{Cc}]/u.test(text))
    throw new Error(`${JSON.stringify(text)} cannot be written into haproxy.cfg: it has a quote or a control character.`);
  return `'${text}'`;
}
