/** Does every server of the zone answer, with authority and one version of it? Steps `answers`, `serials` and `primary`. Pure. */
import { Rcode, rcodeName, Type } from "../wire/codes.ts";
import type { Failure, Observations, ServerObservation } from "./observations.ts";
import { type Authority, foldName, formatFailure, listed, readAuthority, type SoaFacts, select, serverLabel } from "./read-reply.ts";
import { type Finding, failed, ok, skipped, warning } from "./step.ts";

/** Step `answers`: every address of every name server, by UDP and by TCP (RFC 7766), with authority. */
export function judgeAnswers(seen: Observations): readonly Finding[] {
  const { zone, servers, nameservers, serversLeftOut } = seen;
  const homeless = nameservers
    .filter(({ addresses }) => addresses.length === 0)
    .map(({ name, from }) =>
      failed(
        `${name} has no address that could be found`,
        from === "resolver"
          ? `Add A or AAAA records of ${name} to the zone that holds it, or name a resolver that finds it with --resolver ADDRESS.`
          : `Add A or AAAA records of ${name} to ${zone}, and glue at the parent.`,
      ),
    );
  const findings = [...homeless, ...servers.flatMap((server) => judgeServer(server, seen))];
  if (findings.length === 0 && servers.length === 0)
    return [skipped("no server of the zone is known", "Delegate the zone, or name a server of it with --nameserver ADDRESS:PORT.")];
  const good = servers.filter((server) => judgeServer(server, seen).length === 0);
  return [
    ...findings,
    ...(good.length === 0
      ? []
      : [ok(`${listed(good.map(serverLabel))} ${good.length === 1 ? "answers" : "answer"} with authority by UDP and TCP`)]),
    ...(serversLeftOut === 0
      ? []
      : [skipped(`${serversLeftOut} more addresses were not asked`, "Ask one of them with --nameserver ADDRESS:PORT.")]),
  ];
}

function judgeServer(server: ServerObservation, { zone, patience }: Observations): readonly Finding[] {
  const [udp, tcp] = [readAuthority(server.soa.udp, zone), readAuthority(server.soa.tcp, zone)];
  const who = serverLabel(server);
  const same = udp.kind === tcp.kind && JSON.stringify({ ...udp, soa: 0 }) === JSON.stringify({ ...tcp, soa: 0 });
  if (same) return judgeTransport(udp, who, "UDP and TCP", server, zone, patience);
  return [...judgeTransport(udp, who, "UDP", server, zone, patience), ...judgeTransport(tcp, who, "TCP", server, zone, patience)];
}

function judgeTransport(
  authority: Authority,
  who: string,
  transport: string,
  { name, server: { port } }: ServerObservation,
  zone: string,
  patience: number,
): readonly Finding[] {
  switch (authority.kind) {
    case "Authoritative":
      return [];
    case "Lame": {
      const leave = name === "" ? "" : `, or remove \`${zone}. NS ${name}.\` from the zone and at the parent`;
      if (authority.why === rcodeName(Rcode.SERVFAIL))
        return [
          failed(
            `${who} cannot answer for ${zone} by ${transport} (SERVFAIL)`,
            `See its log: its copy of ${zone} may have expired, or its configuration been refused.`,
          ),
        ];
      return [failed(`${who} is lame: it does not serve ${zone} (${authority.why} by ${transport})`, `Let it serve ${zone}${leave}.`)];
    }
    case "Failed":
      return [judgeFailure(authority.failure, who, transport, port, patience)];
  }
}

function judgeFailure(failure: Failure, who: string, transport: string, port: number, patience: number): Finding {
  const fact = `${who} ${formatFailure(failure, patience)} (${transport})`;
  if (failure === "no-route") return warning(fact, "Check again from a machine that has a route to it, such as one with IPv6.");
  if (failure === "not-asked") return skipped(fact, "Check again when the other servers answer.");
  const open = `open ${transport} port ${port} to it in firewalls`;
  return failed(
    fact,
    failure === "nothing-listens" ? `Start the server with ${transport} on port ${port}, or ${open}.` : `Start the server, or ${open}.`,
  );
}

/** The servers that are authorities for the zone, with what their SOA says. */
export const authoritiesOf = ({ zone, servers }: Observations): readonly { readonly server: ServerObservation; readonly soa: SoaFacts }[] =>
  servers.flatMap((server) => {
    const [udp, tcp] = [readAuthority(server.soa.udp, zone), readAuthority(server.soa.tcp, zone)];
    const found = udp.kind === "Authoritative" ? udp : tcp;
    return found.kind === "Authoritative" ? [{ server, soa: found.soa }] : [];
  });

/** How far one serial is ahead of another in a circle of 32 bits; negative = behind (RFC 1982 §3.2). */
const ahead = (serial: number, of: number): number => (serial - of) | 0;

/**
 * Step `serials`: one version of the zone everywhere. A secondary may be late for a moment; one that did not get as far in the time that it was
 * given as others were before is not told of changes, or cannot take the zone over.
 */
export function judgeSerials(seen: Observations): readonly Finding[] {
  const { zone, expectation } = seen;
  const now = authoritiesOf(seen);
  if (now.length === 0) return [skipped("no server answers with authority", "Mend step answers, and check again.")];
  const highest = now.reduce((best, { soa }) => (ahead(soa.serial, best) > 0 ? soa.serial : best), now[0]!.soa.serial);
  if (now.every(({ soa }) => soa.serial === highest))
    return [ok(`serial ${highest} at ${now.length === 1 ? "the one server" : `all ${now.length} servers`}`)];
  const told = listed(now.map(({ server, soa }) => `${soa.serial} at ${serverLabel(server)}`));
  if (expectation?.serialsApart === "Only") return [ok(`serials are ${told}; GlobalRoute servers count theirs apart`)];
  const late = now.flatMap(({ server, soa }) => {
    const later = server.soaLater === undefined ? undefined : readAuthority(server.soaLater, zone);
    const serial = later?.kind === "Authoritative" ? later.soa.serial : soa.serial;
    const behind = ahead(highest, serial);
    return behind > 0 ? [{ server, serial, behind }] : [];
  });
  if (late.length === 0)
    return [warning(`serials differed for a moment: ${told}; then all had ${highest} or a later one`, "Nothing: a change was on its way.")];
  if (expectation?.serialsApart === "Perhaps") {
    const remedy =
      "GlobalRoute servers of one zone count their serials apart; a secondary that stays behind needs a NOTIFY (spec.provider.embedded.transfer).";
    return [warning(`serials are ${told}`, remedy)];
  }
  return late.map(({ server, serial, behind }) =>
    failed(
      `${serverLabel(server)} has serial ${serial}, ${behind} behind ${highest}, and did not follow`,
      `See why it does not take the zone over: the primary's NOTIFY and transfer (port, address, TSIG key), and its own log. ${SERIALS_APART}`,
    ),
  );
}

const SERIALS_APART = "If these are GlobalRoute servers, which count their serials apart, name their objects with --config DIR.";

/** Step `primary`: the server by which a zone is kept answers for it with authority, and the world is sent to servers that it names. */
export function judgePrimary(seen: Observations): readonly Finding[] {
  const { zone, primary, expectation, patience } = seen;
  const kept = expectation?.keptElsewhere;
  if (primary === undefined || kept?.primary === undefined) return [skipped("no server is written to", "Nothing.")];
  const setting = `spec.provider.${kept.type.toLowerCase()}.server of DNSZone ${expectation?.object}`;
  if ("unresolved" in primary)
    return [
      failed(
        `${kept.primary.host} has no address: ${primary.unresolved}`,
        `Correct ${setting}, or name a resolver that finds it with --resolver ADDRESS.`,
      ),
    ];
  const who = serverLabel(primary);
  const authority = readAuthority(primary.soa, zone);
  if (authority.kind === "Failed")
    return [
      failed(
        `${who} ${formatFailure(authority.failure, patience)} (TCP)`,
        `Start it, open TCP port ${primary.server.port} to it, or correct ${setting}.`,
      ),
    ];
  if (authority.kind === "Lame")
    return [failed(`${who} does not serve ${zone} (${authority.why})`, `Correct ${setting}: it must be the primary of ${zone}.`)];
  const named = "message" in primary.ns ? select(primary.ns.message.answers, zone, Type.NS).map(({ data }) => foldName(data)) : [];
  const world = seen.nameservers.map(({ name }) => name);
  const strangers = world.filter((name) => !named.includes(name));
  if (named.length > 0 && strangers.length > 0) {
    return [
      failed(
        `${who} does not name ${listed(strangers)}, to which the world is sent: what is written to it may be seen by nobody`,
        `Correct ${setting}, or the NS of ${zone} at the parent.`,
      ),
    ];
  }
  const elsewhere = authoritiesOf(seen).filter(({ soa }) => ahead(soa.serial, authority.soa.serial) > 0);
  if (elsewhere.length > 0) {
    const { server, soa } = elsewhere[0]!;
    const by = ahead(soa.serial, authority.soa.serial);
    return [
      warning(
        `${serverLabel(server)} has serial ${soa.serial}, ${by} ahead of ${who}`,
        `See that ${who} is the primary, and not a secondary of another one.`,
      ),
    ];
  }
  return [ok(`${who} is an authority for ${zone}, serial ${authority.soa.serial}, and names the servers that the world is sent to`)];
}
