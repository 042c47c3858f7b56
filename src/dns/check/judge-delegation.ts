/** Does the parent zone send resolvers to the right servers? Steps `parent`, `nameservers` and `glue`. Pure. */
import { Type } from "../wire/codes.ts";
import type { Observations, ParentServer, ServerObservation } from "./observations.ts";
import {
  addressesOf,
  answersOf,
  type Delegation,
  foldName,
  formatFailure,
  isInBailiwick,
  listed,
  readDelegation,
  select,
  serverLabel,
  without,
} from "./read-reply.ts";
import { CONFIG_REMEDY, type Finding, failed, ok, skipped, warning } from "./step.ts";

type Delegated = Extract<Delegation, { kind: "Delegated" }>;

/** How the parent zone is called in sentences. */
const parentName = ({ zone, parent }: Observations): string =>
  parent.zone === undefined ? `the parent of ${zone}` : parent.zone === "." ? "the root zone" : `the parent zone ${parent.zone}`;

/** NS records as a zone file has them: what an operator pastes. */
const nsRecords = (zone: string, names: readonly string[]): string => listed(names.map((name) => `\`${zone}. NS ${name}.\``));

const delegationsOf = ({ zone, parent }: Observations): readonly { readonly from: ParentServer; readonly it: Delegation }[] =>
  parent.servers.map((from) => ({ from, it: readDelegation(from.delegation, zone) }));

/** What the parent's servers say that delegate the zone. */
export const delegatedBy = (seen: Observations): readonly Delegated[] =>
  delegationsOf(seen).flatMap(({ it }) => (it.kind === "Delegated" ? [it] : []));

/** Names of the zone's servers at the parent, sorted; empty when it is not delegated. */
export const namesAtParent = (seen: Observations): readonly string[] =>
  [...new Set(delegatedBy(seen).flatMap(({ names }) => names))].sort();

const LOOK_ELSEWHERE = "Name a resolver with --resolver ADDRESS, or a server of the parent zone with --parent ADDRESS.";

/** Step `parent`: its servers are found, know the parent zone, and delegate the zone alike. */
export function judgeParent(seen: Observations): readonly Finding[] {
  const { zone, parent } = seen;
  const name = parentName(seen);
  if (parent.trouble !== undefined || parent.servers.length === 0)
    return [failed(`${name} cannot be asked: ${parent.trouble ?? "it has no servers"}`, LOOK_ELSEWHERE)];
  const findings = delegationsOf(seen).flatMap(({ from, it }) => judgeParentServer(from, it, seen));
  const delegating = delegationsOf(seen).filter(({ it }) => it.kind === "Delegated");
  if (delegating.length === 0) return findings.map((finding) => ({ ...finding, status: "failed" }));
  const left = parent.leftOut > 0 ? `; ${parent.leftOut} more were not asked` : "";
  const who = `${name} (${listed(delegating.map(({ from }) => serverLabel(from)))}${left})`;
  const versions = new Set(delegatedBy(seen).map(({ names }) => names.join()));
  const remedy = "Wait until they all have the same version of that zone, and check again.";
  return [
    ok(`${who} delegates ${zone} to ${listed(namesAtParent(seen))}`),
    ...findings,
    ...(versions.size > 1 ? [warning(`servers of ${name} do not agree on the NS of ${zone}`, remedy)] : []),
  ];
}

function judgeParentServer(from: ParentServer, it: Delegation, seen: Observations): readonly Finding[] {
  const { zone, patience } = seen;
  const server = `${serverLabel(from)} of ${parentName(seen)}`;
  switch (it.kind) {
    case "Delegated":
      return [];
    case "NotDelegated":
      return [failed(`${server} does not delegate ${zone} (${it.why})`, delegateRemedy(seen))];
    case "NotOfParent":
      return [
        warning(
          `${server} does not know the zone above ${zone} (${it.why})`,
          "Ask another server of the parent zone with --parent ADDRESS.",
        ),
      ];
    case "Failed":
      return [warning(`${server} ${formatFailure(it.failure, patience)}`, LOOK_ELSEWHERE)];
  }
}

function delegateRemedy(seen: Observations): string {
  const { zone, expectation } = seen;
  const fromZone = zoneNames(seen)?.names ?? [];
  const names = expectation !== undefined && expectation.nameservers.length > 0 ? expectation.nameservers : fromZone;
  if (names.length === 0) return `At ${parentName(seen)} or the registrar, add NS records of ${zone} for its name servers.`;
  const inside = names.filter((name) => isInBailiwick(name, zone));
  const glue = inside.length === 0 ? "" : `, with glue (A, AAAA) for ${listed(inside)}`;
  return `At ${parentName(seen)} or the registrar, add ${nsRecords(zone, names)}${glue}.`;
}

/** The zone's own NS, as most of its servers tell them. */
function zoneNames({
  zone,
  servers,
}: Observations): { readonly names: readonly string[]; readonly others: readonly ServerObservation[] } | undefined {
  const told = servers.flatMap((server) => {
    const reply = server.detail?.ns;
    if (reply === undefined || !("message" in reply)) return [];
    const names = select(reply.message.answers, zone, Type.NS).map(({ data }) => foldName(data));
    return names.length === 0 ? [] : [{ server, names: [...new Set(names)].sort() }];
  });
  const votes = Map.groupBy(told, ({ names }) => names.join());
  const [most] = [...votes.values()].sort((a, b) => b.length - a.length);
  if (most === undefined) return undefined;
  return { names: most[0]!.names, others: told.filter((one) => !most.includes(one)).map(({ server }) => server) };
}

/** Step `nameservers`: the NS at the parent, in the zone and in the DNSZone are one set. */
export function judgeNameservers(seen: Observations): readonly Finding[] {
  const { expectation } = seen;
  const delegated = delegatedBy(seen).length === 0 ? undefined : namesAtParent(seen);
  const inZone = zoneNames(seen);
  const configured = expectation?.keptElsewhere === undefined ? expectation?.nameservers : undefined;
  const wanted = configured ?? inZone?.names;
  const findings = [
    ...(delegated === undefined || wanted === undefined ? [] : differences(seen, delegated, wanted, configured !== undefined)),
    ...differentServers(seen, configured),
    ...oddNames(seen, delegated),
  ];
  if (findings.length > 0) return findings;
  if (wanted === undefined || delegated === undefined) {
    const unknown = delegated === undefined ? "the delegation is" : "the zone's own NS are";
    return [skipped(`${unknown} not known, so there is nothing to compare`, "Mend the steps that failed, and check again.")];
  }
  const places = ["the parent", ...(inZone === undefined ? [] : ["the zone"]), ...(configured === undefined ? [] : ["the DNSZone"])];
  return [
    ok(`${listed(places)} name the same ${delegated.length} servers`),
    ...(expectation === undefined ? [skipped("no DNSZone was compared", CONFIG_REMEDY)] : []),
  ];
}

/** Servers that answer something else than the DNSZone says, or than each other. */
function differentServers(seen: Observations, configured: readonly string[] | undefined): readonly Finding[] {
  const inZone = zoneNames(seen);
  if (inZone === undefined) return [];
  const isOther = configured !== undefined && configured.toSorted().join() !== inZone.names.join();
  const fact = `the servers answer NS ${listed(inZone.names)}, and DNSZone ${seen.expectation?.object} names ${listed(configured ?? [])}`;
  const remedy =
    "They are other servers, or have other objects: let them serve this DNSZone, or correct spec.provider.embedded.nameservers.";
  return [
    ...(isOther ? [failed(fact, remedy)] : []),
    ...inZone.others.map((server) =>
      failed(
        `${serverLabel(server)} answers other NS of ${seen.zone} than the other servers`,
        "Let all servers have the same version of the zone.",
      ),
    ),
  ];
}

/** Names that are the same everywhere, and wrong all the same. */
function oddNames({ zone, nameservers }: Observations, delegated: readonly string[] = []): readonly Finding[] {
  const aliases = nameservers.filter(({ isAlias }) => isAlias);
  const alone = "Add a second one, elsewhere, to the zone and at the parent (RFC 2182).";
  return [
    ...aliases.map(({ name }) =>
      failed(`${name} is an alias (CNAME), which a name server must not be (RFC 2181 §10.3)`, `Give ${name} A or AAAA records instead.`),
    ),
    ...(delegated.length === 1 ? [warning(`${zone} has only one name server, ${delegated[0]}`, alone)] : []),
  ];
}

/** @param isConfigured `wanted` is what the DNSZone says, not the zone */
function differences(
  seen: Observations,
  delegated: readonly string[],
  wanted: readonly string[],
  isConfigured: boolean,
): readonly Finding[] {
  const { zone, expectation } = seen;
  const where = isConfigured ? `DNSZone ${expectation?.object}` : "the zone";
  const parent = parentName(seen);
  return [
    ...without(wanted, delegated).map((name) =>
      failed(
        `${name} is in ${where}, and the parent does not name it`,
        `Add ${nsRecords(zone, [name])} at ${parent} or the registrar, or remove the server from the zone.`,
      ),
    ),
    ...without(delegated, wanted).map((name) =>
      failed(
        `the parent names ${name}, which is not in ${where}`,
        `Remove ${nsRecords(zone, [name])} at ${parent} or the registrar, or add the server to the zone.`,
      ),
    ),
  ];
}

/** Step `glue`: the parent tells the addresses of servers inside the zone, and the same ones as the zone (RFC 9471). */
export function judgeGlue(seen: Observations): readonly Finding[] {
  const { zone } = seen;
  const delegated = delegatedBy(seen);
  if (delegated.length === 0) return [skipped("the zone is not delegated, so there is no glue", "Delegate the zone first.")];
  const inside = namesAtParent(seen).filter((name) => isInBailiwick(name, zone));
  if (inside.length === 0) return [ok(`none is needed: no name server lies in ${zone}`)];
  const referrals = delegated.filter(({ isReferral }) => isReferral);
  if (referrals.length === 0) {
    const remedy = "Ask a server that has the parent zone alone, with --parent ADDRESS.";
    return [skipped(`the servers of the parent have ${zone} itself too, and do not show their glue`, remedy)];
  }
  return inside.flatMap((name) => {
    const glue = [
      ...new Set(referrals.flatMap((one) => one.glue.filter((record) => record.name === name).map(({ address }) => address))),
    ].sort();
    return judgeGlueOf(seen, name, glue);
  });
}

function judgeGlueOf(seen: Observations, name: string, glue: readonly string[]): readonly Finding[] {
  const parent = parentName(seen);
  const own = addressesInZone(seen, name);
  if (own === undefined) {
    if (glue.length > 0) return [skipped(`${name}: no server of the zone tells its addresses`, "Mend step answers, and check again.")];
    return [
      failed(
        `${name} has no glue at the parent, so nobody finds it`,
        `Add A or AAAA records of ${name} as glue at ${parent} or the registrar.`,
      ),
    ];
  }
  const records = (addresses: readonly string[]): string =>
    listed(addresses.map((address) => `\`${name}. ${address.includes(":") ? "AAAA" : "A"} ${address}\``));
  if (own.length === 0) {
    return [
      failed(
        `${name} has no address in the zone`,
        `Add ${glue.length === 0 ? `A or AAAA records of ${name}` : records(glue)} to the zone: spec.provider.embedded.records of the DNSZone.`,
      ),
    ];
  }
  if (glue.length === 0)
    return [
      failed(`${name} has no glue at the parent, so resolvers cannot find it`, `Add glue at ${parent} or the registrar: ${records(own)}.`),
    ];
  const wrong = without(glue, own);
  const missing = without(own, glue);
  return [
    ...(wrong.length === 0
      ? []
      : [
          failed(
            `the glue of ${name} at the parent is ${listed(glue)}, and the zone says ${listed(own)}`,
            `Change the glue at ${parent} or the registrar to ${records(own)}.`,
          ),
        ]),
    ...(missing.length > 0 && wrong.length === 0
      ? [
          warning(
            `the glue of ${name} at the parent lacks ${listed(missing)}`,
            `Add glue at ${parent} or the registrar: ${records(missing)}.`,
          ),
        ]
      : []),
    ...(wrong.length + missing.length === 0 ? [ok(`${name}: ${listed(glue)} at the parent and in the zone`)] : []),
  ];
}

/** Addresses of a name server inside the zone, as the zone's servers tell them; undefined when none of them was asked or answered. */
function addressesInZone({ servers }: Observations, name: string): readonly string[] | undefined {
  const replies = servers
    .flatMap(({ detail }) => detail?.addresses.filter((one) => one.name === name) ?? [])
    .flatMap((one) => one.replies)
    .filter((reply) => "message" in reply);
  if (replies.length === 0) return undefined;
  return [...new Set(replies.flatMap((reply) => addressesOf([...answersOf(reply, Type.A), ...answersOf(reply, Type.AAAA)])))].sort();
}
