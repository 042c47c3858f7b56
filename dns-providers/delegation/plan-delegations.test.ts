import { describe, expect, test } from "vitest";
import { applyChanges } from "../change.ts";
import { formatOwnership } from "../ownership.ts";
import type { ZoneAuthority } from "../provider.ts";
import { type RecordSet, recordSetKey } from "../record-set.ts";
import { type DesiredDelegation, delegationName, formatDelegation, type SeenServers } from "./delegation.ts";
import { type DelegationInput, type DelegationPlan, planDelegations } from "./plan-delegations.ts";

const PARENT = "example.org";
const CHILD = "apps.example.org";
const TOLD = "apps._delegations._globalroute.example.org";
const [OLD_DS, NEW_DS] = [`1 13 2 ${"ab".repeat(32)}`, `2 13 2 ${"cd".repeat(32)}`];

const set = (name: string, type: string, ...values: readonly string[]): RecordSet => ({ name, type, ttl: 3600, values });
const NS1 = set("ns1.apps.example.org", "A", "192.0.2.53");
const NS2 = set("ns2.apps.example.org", "A", "192.0.2.54");

const AUTHORITY: ZoneAuthority = {
  ...{ nameServers: ["ns1.apps.example.org", "ns2.apps.example.org"], glue: [NS1, NS2], ttl: 3600, longestTtl: 3600 },
};
const GOOD: SeenServers = {
  servers: new Map(["ns1", "ns2", "ns3"].map((label) => [`${label}.apps.example.org`, undefined])),
  ...{ chain: () => undefined, ds: undefined },
};
const silent = (...names: readonly string[]): SeenServers => ({
  ...GOOD,
  servers: new Map([...GOOD.servers].map(([name]) => [name, names.includes(name) ? `${name} did not answer within 2 s` : undefined])),
});

interface Wish {
  readonly authority?: Partial<ZoneAuthority>;
  readonly seen?: SeenServers;
  readonly isAdopted?: boolean;
}
const want = ({ authority = {}, seen = GOOD, isAdopted = false }: Wish = {}): DesiredDelegation => ({
  ...{ kind: "Known", child: CHILD, resource: "DNSZone/apps", isAdopted, seen },
  authority: { ...AUTHORITY, ...authority },
});

const plan = (actual: readonly RecordSet[], desired: readonly DesiredDelegation[], more: Partial<DelegationInput> = {}): DelegationPlan =>
  planDelegations({
    ...{ domain: PARENT, owner: "prod-eu", desired, actual, policy: "UpsertOnly", isRemovalConfirmed: false, contested: new Set<string>() },
    ...more,
  });
const changesOf = ({ groups }: DelegationPlan) => groups.flatMap(({ changes }) => changes);
/** `+ name TYPE` */
const signs = (made: DelegationPlan): readonly string[] =>
  changesOf(made).map((change) => {
    const { name, type } = change.action === "Delete" ? change.before : change.after;
    return `${{ Create: "+", Replace: "~", Delete: "-" }[change.action]} ${name} ${type}`;
  });
/** The zone as the plan leaves it, which there is nothing more to do to. */
function made(actual: readonly RecordSet[], wish: Wish = {}): readonly RecordSet[] {
  const after = applyChanges(actual, changesOf(plan(actual, [want(wish)])));
  expect(signs(plan(after, [want(wish)]))).toEqual([]);
  return after;
}
const valuesAt = (sets: readonly RecordSet[], name: string, type: string): readonly string[] | undefined =>
  sets.find((one) => recordSetKey(one) === `${name} ${type}`)?.values;

const OURS = made([]);
const SIGNED = made([], { authority: { ds: [OLD_DS] } });
const FOREIGN = [set(CHILD, "NS", "ns1.apps.example.org.", "NS9.example.net."), NS1];

test("a delegation is made whole, what says that it is ours first, and a second plan is empty", () => {
  expect(signs(plan([], [want({ authority: { ds: [OLD_DS] } })]))).toEqual([
    ...[`+ ${TOLD} TXT`, "+ ns1.apps.example.org A", "+ ns2.apps.example.org A"],
    ...[`+ ${CHILD} NS`, `+ ${CHILD} DS`],
  ]);
  expect(valuesAt(SIGNED, TOLD, "TXT")).toEqual([
    '"heritage=globalroute,globalroute/owner=prod-eu,globalroute/types=DS+NS,globalroute/resource=DNSZone/apps,globalroute/glue=ns1.apps.example.org/A+ns2.apps.example.org/A"',
  ]);
});

test("values that a server writes in another way are the same", () => {
  const sets = SIGNED.map((one) => {
    if (one.type === "DS") return { ...one, values: one.values.map((value) => value.toUpperCase().replace(/(\w{56})$/, " $1")) };
    return one.type === "NS" ? { ...one, values: one.values.map((value) => value.toUpperCase()).reverse() } : one;
  });
  expect(signs(plan(sets, [want({ authority: { ds: [OLD_DS] } })]))).toEqual([]);
});

describe("nobody is sent to a server that does not answer", () => {
  const dead = silent("ns2.apps.example.org");

  test("no delegation is made", () => {
    expect(plan([], [want({ seen: dead })])).toMatchObject({
      groups: [],
      waiting: [{ child: CHILD, why: "ns2.apps.example.org did not answer within 2 s", isFault: true }],
    });
  });

  test("one that was not looked at is not trusted", () => {
    const unseen = { ...GOOD, servers: new Map() };
    expect(plan([], [want({ seen: unseen })]).waiting[0]?.why).toContain("ns1.apps.example.org has not been looked at");
  });

  test("a change waits whole, and what is there stays", () => {
    const next = {
      nameServers: ["ns1.apps.example.org", "ns3.apps.example.org"],
      glue: [NS1, set("ns3.apps.example.org", "A", "192.0.2.55")],
    };
    expect(plan(OURS, [want({ authority: next, seen: silent("ns3.apps.example.org") })])).toMatchObject({
      groups: [],
      waiting: [{ why: "ns3.apps.example.org did not answer within 2 s" }],
    });
    const after = made(OURS, { authority: next, seen: silent("ns2.apps.example.org") });
    expect(valuesAt(after, CHILD, "NS")).toEqual(["ns1.apps.example.org.", "ns3.apps.example.org."]);
    expect(valuesAt(after, NS2.name, "A")).toBeUndefined();
  });

  test("nor to another address of one that is named already", () => {
    const moved = { glue: [NS1, { ...NS2, values: ["198.51.100.54"] }] };
    expect(plan(OURS, [want({ authority: moved, seen: dead })])).toMatchObject({ groups: [], waiting: [{ isFault: true }] });
    expect(valuesAt(made(OURS, { authority: moved }), NS2.name, "A")).toEqual(["198.51.100.54"]);
  });

  test("what is delegated already stays when all of its servers are silent, and is not waited for", () => {
    expect(plan(OURS, [want({ seen: silent("ns1.apps.example.org", "ns2.apps.example.org") })])).toMatchObject({ groups: [], waiting: [] });
  });

  test("servers are not taken away while none that would be left answers", () => {
    const less = { nameServers: ["ns1.apps.example.org"], glue: [NS1] };
    expect(plan(OURS, [want({ authority: less, seen: silent("ns1.apps.example.org") })])).toMatchObject({ groups: [], waiting: [{}] });
    expect(valuesAt(made(OURS, { authority: less, seen: silent("ns2.apps.example.org") }), CHILD, "NS")).toEqual(["ns1.apps.example.org."]);
  });

  test("nothing is done while it is not known what the zone says", () => {
    const unknown: DesiredDelegation = {
      ...{ kind: "Unknown", child: CHILD, resource: "DNSZone/apps", isAdopted: false, why: "no answer in time", isFault: true },
    };
    for (const actual of [[], OURS])
      expect(plan(actual, [unknown], { policy: "Sync" })).toMatchObject({ groups: [], held: [], waiting: [{}] });
  });
});

describe("no zone becomes bogus", () => {
  const wait = { why: "the zone is served unsigned", isFault: true };
  const seen: SeenServers = { ...GOOD, ds: wait };

  test("DS waits for its key, and the rest does not wait for DS", () => {
    const first = plan([], [want({ authority: { ds: [OLD_DS] }, seen })]);
    expect(signs(first)).not.toContain(`+ ${CHILD} DS`);
    expect(signs(first)).toContain(`+ ${CHILD} NS`);
    expect(first.waiting).toEqual([{ child: CHILD, why: "DS: the zone is served unsigned", isFault: true }]);
  });

  test("a rollover goes through both, and the old one stays until the new one leads into the zone", () => {
    const both = made(SIGNED, { authority: { ds: [OLD_DS, NEW_DS] } });
    expect(valuesAt(both, CHILD, "DS")).toEqual([OLD_DS, NEW_DS]);
    expect(signs(plan(both, [want({ authority: { ds: [NEW_DS] }, seen })]))).toEqual([]);
    expect(valuesAt(made(both, { authority: { ds: [NEW_DS] } }), CHILD, "DS")).toEqual([NEW_DS]);
  });

  test("DS goes at once when the zone asks for it, and stays when it says nothing", () => {
    const silence = silent("ns1.apps.example.org", "ns2.apps.example.org");
    expect(signs(plan(SIGNED, [want({ authority: { ds: [] }, seen: silence })]))).toEqual([`~ ${TOLD} TXT`, `- ${CHILD} DS`]);
    expect(signs(plan(SIGNED, [want()]))).toEqual([]);
  });

  test("servers that cannot be reached by the DS that is there are not named", () => {
    const next = { nameServers: ["ns3.apps.example.org"], glue: [set("ns3.apps.example.org", "A", "192.0.2.55")], ds: [OLD_DS] };
    const broken = { ...GOOD, chain: (ds: readonly string[]) => (ds.includes(OLD_DS) ? "ns3: the zone is served unsigned" : undefined) };
    expect(plan(SIGNED, [want({ authority: next, seen: broken })])).toMatchObject({
      groups: [],
      waiting: [{ why: "the DS that is there would not lead into the zone: ns3: the zone is served unsigned" }],
    });
  });

  test("a DS of somebody else is a conflict, and the NS beside it are ours all the same", () => {
    const actual = [...OURS, set(CHILD, "DS", OLD_DS)];
    expect(plan(actual, [want({ authority: { ds: [NEW_DS] } })])).toMatchObject({
      ...{ groups: [], conflicts: [{ name: CHILD, type: "DS", reason: "Foreign" }] },
    });
  });
});

describe("what others made", () => {
  test("is a conflict, and is not touched", () => {
    expect(plan(FOREIGN, [want()])).toMatchObject({
      groups: [],
      conflicts: [
        { name: CHILD, type: "NS", reason: "Foreign" },
        { name: NS1.name, type: "A", reason: "Foreign" },
      ],
    });
  });

  test("becomes ours where that is asked for, and is corrected then", () => {
    const after = made(FOREIGN, { isAdopted: true });
    expect(valuesAt(after, CHILD, "NS")).toEqual(["ns1.apps.example.org.", "ns2.apps.example.org."]);
    expect(valuesAt(after, TOLD, "TXT")?.[0]).toContain("owner=prod-eu");
  });

  test("becomes ours, too, by a record that says so", () => {
    const handed = { ...formatDelegation(TOLD, { owner: "prod-eu", resource: "", types: ["NS"], glue: [NS1] }) };
    expect(valuesAt(made([...FOREIGN, handed]), CHILD, "NS")).toEqual(["ns1.apps.example.org.", "ns2.apps.example.org."]);
  });

  test("is left to another installation", () => {
    const theirs = OURS.map((one) => ({ ...one, values: one.values.map((value) => value.replace("prod-eu", "prod-us")) }));
    expect(plan(theirs, [want({ authority: { nameServers: ["ns1.apps.example.org"], glue: [NS1] } })])).toMatchObject({
      groups: [],
      conflicts: [{ name: CHILD, type: "NS", reason: "OwnedByAnother", owner: "prod-us" }],
    });
  });

  test("would not be answered any more below a new delegation, which waits for it to go", () => {
    const www = set("www.apps.example.org", "A", "192.0.2.9");
    expect(plan([www, set(CHILD, "TXT", '"x"')], [want()])).toMatchObject({
      groups: [],
      waiting: [{ why: expect.stringContaining("www.apps.example.org A and 1 more would be hidden by it") }],
    });
    const ours = formatOwnership(www.name, { owner: "prod-eu", resource: "GlobalRoute/web/www", types: ["A"] });
    expect(plan([www, ours], [want()]).waiting).toEqual([]); // our own host is in the zone below by now
  });
});

describe("a delegation that nobody wants any more", () => {
  const parts = [`- ${CHILD} DS`, `- ${CHILD} NS`, "- ns1.apps.example.org A", "- ns2.apps.example.org A", `- ${TOLD} TXT`];

  test("stays by UpsertOnly", () => {
    expect(plan(SIGNED, [], { isRemovalConfirmed: true })).toMatchObject({ groups: [], held: [], kept: [{}, {}, {}, {}] });
  });

  test("is held by Sync, however few there are, until somebody confirms it; then DS goes first", () => {
    expect(plan(SIGNED, [], { policy: "Sync" })).toMatchObject({ groups: [], held: [{ type: "DS" }, { type: "NS" }, {}, {}] });
    const going = plan(SIGNED, [], { policy: "Sync", isRemovalConfirmed: true });
    expect(signs(going)).toEqual(parts);
    expect(applyChanges(SIGNED, changesOf(going))).toEqual([]);
  });

  test("of somebody else is nobody's to remove", () => {
    expect(plan(FOREIGN, [], { policy: "Sync", isRemovalConfirmed: true })).toMatchObject({ groups: [], held: [] });
  });
});

test("nothing is done at a name that somebody else keeps changing", () => {
  expect(plan([], [want()], { contested: new Set([CHILD]) })).toMatchObject({ groups: [], contested: [CHILD] });
});

test("a name that leaves no room for its owner is told", () => {
  const child = `${Array.from({ length: 4 }, () => "a".repeat(57)).join(".")}.${PARENT}`;
  expect(delegationName(child, PARENT)).toBeUndefined();
  expect(plan([], [{ ...want(), child }])).toMatchObject({ groups: [], conflicts: [{ name: child, reason: "Reserved" }] });
});
