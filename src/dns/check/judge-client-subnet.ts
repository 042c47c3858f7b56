/** Do all servers of the zone treat a client's network alike? Step `client-subnet`. Pure. */
import { Rcode, rcodeName } from "../wire/codes.ts";
import type { Observations, ServerObservation, SubnetReply } from "./observations.ts";
import { formatFailure, listed, serverLabel } from "./read-reply.ts";
import { CONFIG_REMEDY, type Finding, failed, ok, skipped, warning } from "./step.ts";

/** What a server makes of a client's network: the option left out, an answer for everybody, or one for some. */
type SubnetHabit = "ignores" | "same" | "tailors";

/**
 * Step `client-subnet`: all servers of the zone treat EDNS Client Subnet alike (RFC 7871). A resolver that has learnt that the zone's servers
 * know it takes an answer without a scope for one that everybody may get, and hands it to clients of other regions.
 */
export function judgeClientSubnet(seen: Observations): readonly Finding[] {
  const { expectation } = seen;
  const asked = seen.servers
    .map((server) => ({ server, replies: (server.detail?.subnets ?? []).filter(wasAsked) }))
    .filter(({ replies }) => replies.length > 0);
  if (asked.length === 0) return [skipped("no server answers with authority", "Mend step answers, and check again.")];
  const broken = asked.flatMap(({ server, replies }) => judgeSubnetReplies(server, replies, seen));
  if (broken.length > 0) return broken;
  const habits = asked.map(({ server, replies }) => ({ server, habit: habitOf(replies) }));
  const those = (habit: SubnetHabit): readonly string[] =>
    habits.filter((one) => one.habit === habit).map(({ server }) => serverLabel(server));
  const [tailors, same, ignores] = [those("tailors"), those("same"), those("ignores")];
  const varies = expectation?.hosts.some((host) => host.varies) ?? false;
  if (tailors.length > 0 || (varies && same.length > 0 && ignores.length > 0)) return judgeMixture(tailors, same, ignores, asked);
  if (varies && ignores.length > 0) {
    return [
      warning(
        `${listed(ignores)} ${ignores.length === 1 ? "ignores" : "ignore"} EDNS Client Subnet, and the answers depend on the client`,
        "Let GlobalRoute servers answer for the zone: now clients are told apart by their resolver's address, or not at all.",
      ),
    ];
  }
  const isHostKnown = (expectation?.hosts.length ?? 0) > 0;
  if (ignores.length > 0 && same.length > 0) {
    return [
      warning(
        `${listed(ignores)} ${ignores.length === 1 ? "ignores" : "ignore"} EDNS Client Subnet, and ${listed(same)} ${same.length === 1 ? "does" : "do"} not`,
        isHostKnown
          ? "Nothing, as long as every client gets the same answer; before that changes, let all servers of the zone be of one kind."
          : `${CONFIG_REMEDY} Then hosts are asked for, and it shows whether clients are answered differently.`,
      ),
    ];
  }
  if (ignores.length > 0) return [ok("no server uses EDNS Client Subnet: every client gets the same answer")];
  return [
    ok(
      isHostKnown
        ? "all servers know EDNS Client Subnet, and gave every client the same answer"
        : "all servers know EDNS Client Subnet; no host was asked for",
    ),
  ];
}

function judgeMixture(
  tailors: readonly string[],
  same: readonly string[],
  ignores: readonly string[],
  asked: readonly { readonly server: ServerObservation; readonly replies: readonly SubnetReply[] }[],
): readonly Finding[] {
  const remedy =
    "Let all servers of the zone be GlobalRoute servers of the same objects and geo data, and take others out of its NS, here and at the parent.";
  const others =
    tailors.length > 0
      ? [...ignores.map((one) => `${one} ignores it`), ...same.map((one) => `${one} answers for everybody`)]
      : ignores.map((one) => `${one} ignores it`);
  if (others.length > 0) {
    const known =
      tailors.length > 0
        ? `${listed(tailors)} ${tailors.length === 1 ? "answers" : "answer"} by the client's network (EDNS Client Subnet)`
        : `${listed(same)} ${same.length === 1 ? "knows" : "know"} EDNS Client Subnet`;
    return [failed(`${known}, and ${listed(others)}`, remedy)];
  }
  const [first] = asked;
  const differing = (first?.replies ?? []).filter(
    ({ name, network }) =>
      new Set(asked.map(({ replies }) => scopeOf(replies.find((one) => one.name === name && one.network === network)))).size > 1,
  );
  if (differing.length > 0) {
    const { name, network } = differing[0]!;
    return [
      warning(`servers answer ${name} for ${network} with different scopes`, "Let them have the same objects and the same geo database."),
    ];
  }
  return [
    ok(
      asked.length === 1
        ? "the one server answers by the client's network (EDNS Client Subnet)"
        : `all ${asked.length} servers answer by the client's network (EDNS Client Subnet), with equal scopes`,
    ),
  ];
}

const wasAsked = ({ reply }: SubnetReply): boolean => "message" in reply || reply.failure !== "not-asked";

/** SCOPE PREFIX-LENGTH; undefined when there is no option. */
function scopeOf(asked: SubnetReply | undefined): number | undefined {
  return asked !== undefined && "message" in asked.reply ? asked.reply.message.edns?.clientSubnet?.scope : undefined;
}

function habitOf(replies: readonly SubnetReply[]): SubnetHabit {
  const scopes = replies.map(scopeOf);
  if (scopes.some((scope) => scope !== undefined && scope > 0)) return "tailors";
  return scopes.every((scope) => scope === undefined) ? "ignores" : "same";
}

/** An answer must not be worse for the option, and tell of the network that was asked about (RFC 7871 §7.3). */
function judgeSubnetReplies(server: ServerObservation, replies: readonly SubnetReply[], { patience }: Observations): readonly Finding[] {
  const who = serverLabel(server);
  const faults = replies.flatMap(({ network, reply }): readonly Finding[] => {
    if ("failure" in reply) {
      return [
        failed(
          `${who} ${formatFailure(reply.failure, patience)} when a query has a client subnet`,
          "Let nothing on the way drop queries with EDNS options.",
        ),
      ];
    }
    const { rcode, edns } = reply.message;
    if (rcode !== Rcode.NOERROR && rcode !== Rcode.NXDOMAIN)
      return [
        failed(
          `${who} answers ${rcodeName(rcode)} when a query has a client subnet`,
          "Update or replace that server: it must ignore an option that it does not know (RFC 6891 §6.1.2).",
        ),
      ];
    const subnet = edns?.clientSubnet;
    if (subnet !== undefined && subnet.source !== Number(network.slice(network.indexOf("/") + 1)))
      return [
        failed(
          `${who} answers about another client subnet than it was asked about`,
          "Update or replace that server: resolvers drop such answers (RFC 7871 §7.3).",
        ),
      ];
    return [];
  });
  return faults.slice(0, 1); // what goes wrong once goes wrong each time
}
