/** Are the routes' hosts answered, and for how long is that kept? Steps `ttls` and `hosts`. Pure. */
import { Rcode, rcodeName, Type } from "../wire/codes.ts";
import type { ExpectedHost } from "./expectation.ts";
import { delegatedBy } from "./judge-delegation.ts";
import { authoritiesOf } from "./judge-servers.ts";
import type { HostReply, Observations, Reply, ServerObservation } from "./observations.ts";
import { addressesOf, answersOf, canonical, formatFailure, formatTtl, listed, select, serverLabel, without } from "./read-reply.ts";
import { CONFIG_REMEDY, type Finding, failed, ok, skipped, warning } from "./step.ts";

/** Seconds. Below, resolvers come back all the time; beyond, a change of servers takes longer than anybody waits. */
const SHORTEST_NS = 60;
const LONGEST_NS = 7 * 86_400;
/** Seconds: one to three hours work well for negative answers (RFC 2308 §5). */
const LONGEST_NEGATIVE = 3 * 3600;

/** Step `ttls`: for how long resolvers keep NS, negative answers and the hosts of routes. */
export function judgeTtls(seen: Observations): readonly Finding[] {
  return [...judgeNsTtls(seen), ...judgeNegative(seen), ...judgeHostTtls(seen)];
}

function judgeNsTtls(seen: Observations): readonly Finding[] {
  const { zone } = seen;
  const parents = [...new Set(delegatedBy(seen).map(({ ttl }) => ttl))].sort((a, b) => a - b);
  const own = seen.servers.flatMap(({ detail }) =>
    detail !== undefined && "message" in detail.ns ? select(detail.ns.message.answers, zone, Type.NS) : [],
  );
  const zones = [...new Set(own.map(({ ttl }) => ttl))].sort((a, b) => a - b);
  const told = [
    ...(parents.length === 0 ? [] : [`${listed(parents.map(formatTtl))} at the parent`]),
    ...(zones.length === 0 ? [] : [`${listed(zones.map(formatTtl))} in the zone`]),
  ];
  if (told.length === 0) return [skipped("no NS records were seen", "Mend the steps that failed, and check again.")];
  const fact = `NS: TTL ${listed(told)}`;
  const remedy = "Choose a TTL between an hour and two days for the NS records, in the zone and (where it can be chosen) at the parent.";
  const all = [...parents, ...zones];
  if (all.some((ttl) => ttl < SHORTEST_NS)) return [warning(`${fact}: resolvers ask for the delegation again and again`, remedy)];
  if (all.some((ttl) => ttl > LONGEST_NS)) return [warning(`${fact}: a change of name servers takes more than a week`, remedy)];
  return [ok(fact)];
}

/** RFC 2308 §4: resolvers keep "no such name" for the shorter one of the SOA's own TTL and its MINIMUM. */
function judgeNegative(seen: Observations): readonly Finding[] {
  const [first] = authoritiesOf(seen);
  if (first === undefined) return [];
  const negative = Math.min(first.soa.ttl, first.soa.minimum);
  const fact = `resolvers keep "no such name" for ${formatTtl(negative)} (SOA)`;
  if (negative <= LONGEST_NEGATIVE) return [ok(fact)];
  return [
    warning(
      `${fact}: a host that is new, or was missing by mistake, is not found for so long`,
      "Set spec.provider.embedded.soa.minimum to an hour or less (elsewhere: the last number of the SOA record).",
    ),
  ];
}

/** The longest TTL that any server answers each host with, against what the route allows. */
function judgeHostTtls(seen: Observations): readonly Finding[] {
  const { expectation } = seen;
  if (expectation === undefined) return [skipped("the hosts of routes were not looked at", CONFIG_REMEDY)];
  const longest = expectation.hosts.flatMap((host) => {
    const ttls = repliesOf(seen, host).flatMap(({ reply, type }) =>
      answersOf(reply, type === "A" ? Type.A : Type.AAAA).map(({ ttl }) => ttl),
    );
    return ttls.length === 0 ? [] : [{ host, ttl: Math.max(...ttls) }];
  });
  const late = longest.filter(({ host, ttl }) => ttl > host.ttl.max);
  const early = longest.filter(({ host, ttl }) => ttl < host.ttl.min);
  if (late.length + early.length > 0) {
    return [
      ...late.map(({ host, ttl }) =>
        warning(
          `${host.host} is answered with TTL ${formatTtl(ttl)}: clients stay for so long after a failover, and route ${host.route} allows ${formatTtl(host.ttl.max)}`,
          `Let ${host.host} be answered by servers that have route ${host.route}; remove other records of that name.`,
        ),
      ),
      ...early.map(({ host, ttl }) =>
        warning(
          `${host.host} is answered with TTL ${formatTtl(ttl)}, below the ${formatTtl(host.ttl.min)} of route ${host.route}`,
          `Let ${host.host} be answered by servers that have route ${host.route}.`,
        ),
      ),
    ];
  }
  if (longest.length === 0) return [];
  const most = longest.reduce((a, b) => (b.ttl > a.ttl ? b : a));
  return [ok(`a failover reaches every client of a sampled host within ${formatTtl(most.ttl)} (TTL of ${most.host.host})`)];
}

interface Answer extends HostReply {
  readonly server: ServerObservation;
}

const repliesOf = ({ servers }: Observations, { host }: ExpectedHost): readonly Answer[] =>
  servers.flatMap((server) => (server.detail?.hosts ?? []).filter((one) => one.host === host).map((one) => ({ ...one, server })));

/** Step `hosts`: each host of a route is answered with addresses of its backends, whatever is down. */
export function judgeHosts(seen: Observations): readonly Finding[] {
  const { expectation } = seen;
  if (expectation === undefined) return [skipped("it is not known which hosts there are", CONFIG_REMEDY)];
  const { hosts, allHosts } = expectation;
  if (hosts.length === 0)
    return [
      warning(
        `no route has a host in ${seen.zone}`,
        `Write a GlobalRoute with a host in ${seen.zone}, or correct the zone's allowedRoutes.`,
      ),
    ];
  const answers = hosts.flatMap((host) => repliesOf(seen, host).map((answer) => ({ host, answer })));
  if (answers.length === 0) return [skipped("no server answers with authority", "Mend step answers, and check again.")];
  const faults = answers.flatMap(({ host, answer }) => {
    const fault = faultOf(answer.reply, host, answer.type, seen.patience);
    return fault === undefined ? [] : [{ host, server: answer.server, ...fault }];
  });
  const groups = Map.groupBy(faults, ({ host, fact }) => `${host.host} ${fact}`);
  const findings = [...groups.values()].map((group) => {
    const { host, fact, remedy } = group[0]!;
    const servers = listed([...new Set(group.map(({ server }) => serverLabel(server)))]);
    return failed(`${host.host} ${fact} (at ${servers})`, remedy);
  });
  const broken = new Set(faults.map(({ host }) => host.host));
  const good = hosts.length - broken.size;
  const sample = hosts.length < allHosts ? ` (${hosts.length} of ${allHosts} were asked)` : "";
  return [
    ...findings,
    ...(good === 0
      ? []
      : [ok(`${good} of ${hosts.length} hosts ${good === 1 ? "is" : "are"} answered with addresses of their backends${sample}`)]),
  ];
}

function faultOf(
  reply: Reply,
  host: ExpectedHost,
  type: "A" | "AAAA",
  patience: number,
): { readonly fact: string; readonly remedy: string } | undefined {
  const servers = `Let the servers have route ${host.route}: see \`globalroute explain ${host.name} --client IP\` and spec.publish.dns.`;
  if ("failure" in reply) {
    if (reply.failure === "not-asked") return undefined;
    return { fact: `${type}: the server ${formatFailure(reply.failure, patience)}`, remedy: "Mend step answers, and check again." };
  }
  const { message } = reply;
  if (message.rcode === Rcode.SERVFAIL)
    return {
      fact: `${type} is SERVFAIL: nothing may be answered`,
      remedy: `See \`globalroute explain ${host.name} --client IP\`: rules and cordons may leave no backend.`,
    };
  if (message.rcode !== Rcode.NOERROR) return { fact: `${type} is ${rcodeName(message.rcode)}`, remedy: servers };
  const found = addressesOf(answersOf(reply, type === "A" ? Type.A : Type.AAAA));
  if (found.length === 0 && !(host.hasHostNames && answersOf(reply, Type.CNAME).length > 0))
    return { fact: `has no ${type} records (NODATA)`, remedy: servers };
  const foreign = host.hasHostNames ? [] : without(found, host.addresses.map(canonical));
  if (foreign.length === 0) return undefined;
  return {
    fact: `is answered with ${listed(foreign)}, which no backend of route ${host.route} has`,
    remedy: `Add the address to a backend of route ${host.route}, or remove the records that others keep for ${host.host}.`,
  };
}
