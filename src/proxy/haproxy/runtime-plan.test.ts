import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFakeHaproxy } from "../../../test/support/haproxy/fake-haproxy.ts";
import { edgeBackend, edgePlanOf, haproxyOptions, haproxyRoute } from "../../../test/support/haproxy/haproxy-routes.ts";
import type { EdgePlan } from "../edge-plan.ts";
import { layoutOf, MAPS, type MapEntry } from "./layout.ts";
import { mapFile, mapText, renderConfig } from "./render-config.ts";
import {
  joinCommands,
  parseMap,
  parseVersion,
  planLeftovers,
  planServers,
  presentMaps,
  replaceMap,
  sameMap,
  showsMap,
} from "./runtime-plan.ts";
import { seatsFor } from "./seats.ts";
import { parseServersState } from "./servers-state.ts";

const layoutFor = (plan: EdgePlan) => layoutOf({ routes: [haproxyRoute(plan)], classes: [] });

/** A HAProxy that was started for a plan. */
function started(plan: EdgePlan) {
  const haproxy = createFakeHaproxy();
  const layout = layoutFor(plan);
  const text = renderConfig(layout, new Map(), haproxyOptions);
  haproxy.start(
    new Map([["haproxy.cfg", text], ...MAPS.map((name) => [mapFile(haproxyOptions, name), mapText(layout.maps[name])] as const)]),
  );
  return { haproxy, state: async () => parseServersState(await haproxy.ask("show servers state")) };
}

const A = edgeBackend("a", ["192.0.2.1"]);
const B = edgeBackend("b", ["192.0.2.2"]);
const A_DOWN = edgeBackend("a", ["-192.0.2.1"]);

const cases: readonly { name: string; from: EdgePlan; to: EdgePlan; commands: readonly string[] }[] = [
  { name: "what is there needs nothing", from: edgePlanOf([A], [B]), to: edgePlanOf([A], [B]), commands: [] },
  {
    name: "a failover makes the other ready before it takes the first away",
    from: edgePlanOf([A], [B]),
    to: edgePlanOf([A_DOWN], [B]),
    commands: [
      "set server shop:web_serving/s2 weight 256",
      "set server shop:web_serving/s2 state ready",
      "set server shop:web_serving/s1 state maint",
      "set server shop:web_last/s2 addr 192.0.2.2 port 80",
      "set server shop:web_last/s2 weight 256",
      "set server shop:web_last/s2 state ready",
      "set server shop:web_last/s1 state maint",
      "set server shop:web/direct2 addr 192.0.2.2 port 80",
      "set server shop:web/direct2 health up",
      "set server shop:web/direct2 state ready",
      "set server shop:web/direct2 weight 1",
      "set server shop:web/direct1 weight 0",
      "set server shop:web/direct1 state maint",
    ],
  },
  {
    name: "a newcomer takes a free server",
    from: edgePlanOf([A]),
    to: edgePlanOf([edgeBackend("a", ["192.0.2.1", "2001:db8::7"])]),
    commands: [
      ...["serving", "next", "last"].flatMap((rank) => [
        `set server shop:web_${rank}/s2 addr 2001:db8::7 port 80`,
        `set server shop:web_${rank}/s2 weight 256`,
        `set server shop:web_${rank}/s2 state ready`,
      ]),
      "set server shop:web/direct1 weight 0",
      "set server shop:web/direct1 state maint",
    ],
  },
  {
    name: "who is left alone is reached directly",
    from: edgePlanOf([A, B]),
    to: edgePlanOf([A, edgeBackend("b", ["-192.0.2.2"])]),
    commands: [
      "set server shop:web_serving/s2 state maint",
      "set server shop:web_last/s2 addr 192.0.2.1 port 80",
      "set server shop:web_last/s2 weight 256",
      "set server shop:web_last/s2 state ready",
      "set server shop:web_last/s1 state maint",
      "set server shop:web/direct1 addr 192.0.2.1 port 80",
      "set server shop:web/direct1 health up",
      "set server shop:web/direct1 state ready",
      "set server shop:web/direct1 weight 1",
    ],
  },
  {
    name: "weights alone",
    from: edgePlanOf([A, B]),
    to: edgePlanOf([A, edgeBackend("b", ["192.0.2.2"], 250_000)]),
    commands: ["set server shop:web_serving/s2 weight 64"],
  },
  {
    name: "whom a Require rule leaves with nobody is served by nobody",
    from: edgePlanOf([A]),
    to: edgePlanOf(),
    commands: [
      ...["serving", "next", "last"].map((rank) => `set server shop:web_${rank}/s1 state maint`),
      "set server shop:web/direct1 weight 0",
      "set server shop:web/direct1 state maint",
    ],
  },
];
test.each(cases)("$name", async ({ from, to, commands }) => {
  const { state } = started(from);
  expect(planServers(layoutFor(to), await state()).commands).toEqual(commands);
});

test("an applied plan leaves nothing to plan, and on the way nobody is without who was served and is to be", async () => {
  const address = fc.integer({ min: 1, max: 12 }).map((n) => `192.0.2.${n}`);
  const backend = fc
    .tuple(
      fc.constantFrom("a", "b", "c", "d"),
      fc.uniqueArray(fc.tuple(address, fc.boolean()), { maxLength: 5, selector: ([one]) => one }),
      fc.integer({ min: 1, max: 1_000_000 }),
    )
    .map(([cluster, addresses, weight]) =>
      edgeBackend(
        cluster,
        addresses.map(([one, serves]) => (serves ? one : `-${one}`)),
        weight,
      ),
    );
  const plan = fc.array(fc.array(backend, { maxLength: 3 }), { maxLength: 3 }).map((tiers) => edgePlanOf(...tiers));
  await fc.assert(
    fc.asyncProperty(plan, fc.array(plan, { minLength: 1, maxLength: 4 }), async (first, later) => {
      const { haproxy, state } = started(first);
      for (const next of later) {
        const layout = layoutFor(next);
        const ready = (name: string): number => haproxy.backends.get(name)!.filter(({ isReady }) => isReady).length;
        const guarded = layout.plans[0]!.ranks.filter(({ name, servers }) => ready(name) > 0 && servers.some(({ weight }) => weight > 0));
        haproxy.onChange = () => expect(guarded.filter(({ name }) => ready(name) === 0)).toEqual([]);
        for (let round = 0; round < 3; round++) {
          for (const command of joinCommands(planServers(layout, await state()).commands)) await haproxy.ask(command);
        }
        const { commands, missing } = planServers(layout, await state());
        expect(commands).toEqual([]);
        const direct = haproxy.backends
          .get("shop:web")!
          .filter(({ name, isReady, weight }) => name.startsWith("direct") && isReady && weight === 1);
        const serving = layout.plans[0]!.ranks[0]!.servers.filter(({ weight }) => weight > 0);
        expect(direct.map((one) => one.address)).toEqual(serving.length === 1 ? [serving[0]!.address] : []);
        for (const { name, servers } of layout.plans[0]!.ranks) {
          const present = haproxy.backends.get(name)!;
          if (servers.length > present.length) {
            expect(missing.join()).toContain(`${seatsFor(servers.length)} servers in backend ${name}`);
          } else {
            const got = present.filter(({ isReady }) => isReady).map((one) => `${one.address} ${one.weight}`);
            expect(got.sort()).toEqual(
              servers
                .filter(({ weight }) => weight > 0)
                .map((one) => `${one.address} ${one.weight}`)
                .sort(),
            );
          }
        }
      }
    }),
    { numRuns: 300 },
  );
});

test("who was there before keeps its server, whoever comes and goes", async () => {
  const many = (from: number, to: number) =>
    edgePlanOf([
      edgeBackend(
        "a",
        Array.from({ length: to - from }, (_, i) => `192.0.2.${from + i}`),
      ),
    ]);
  const { haproxy, state } = started(many(1, 7));
  const seats = () => new Map(haproxy.backends.get("shop:web_serving")!.map(({ address, name }) => [address, name]));
  const before = seats();
  for (const command of planServers(layoutFor(many(3, 9)), await state()).commands) await haproxy.ask(command);
  for (let n = 3; n < 7; n++) expect(seats().get(`192.0.2.${n}`)).toBe(before.get(`192.0.2.${n}`));
});

test("backends of a plan that is no more are emptied; others' are left alone", async () => {
  const { haproxy, state } = started(edgePlanOf([A], [B]));
  haproxy.start(
    new Map([
      [
        "haproxy.cfg",
        "backend shop:gone\n    server serving 192.0.2.9:80\n    server direct1 192.0.2.1:80\nbackend shop:gone_serving\n    server s1 192.0.2.1:80\nbackend theirs\n    server s1 192.0.2.1:80\n",
      ],
    ]),
  );
  expect(planLeftovers(layoutFor(edgePlanOf([A])), await state()).commands).toEqual([
    "set server shop:gone/direct1 state maint",
    "set server shop:gone_serving/s1 state maint",
  ]);
});

test("a plan that HAProxy does not have is missing, and no map leads to it", async () => {
  const { state } = started(edgePlanOf([A]));
  const layout = layoutOf({
    routes: [haproxyRoute(edgePlanOf([A])), haproxyRoute(edgePlanOf([B]), { name: "new", hosts: ["new.example.org"] })],
    classes: [],
  });
  expect(planServers(layout, await state()).missing).toEqual([
    "backend shop:new_serving",
    "backend shop:new_next",
    "backend shop:new_last",
    "backend shop:new",
  ]);
  expect(presentMaps(layout, await state(), { hosts: [], wildcards: [] }).hosts).toEqual([["shop.example.org", "shop:web"]]);
});

test("hosts of a plan that HAProxy does not have stay where they are, if that is still there, and it is not emptied", async () => {
  const { state } = started(edgePlanOf([A]));
  const hosts = ["moved.example.org", "gone.example.org", "new.example.org", "*.moved.example.org"];
  const layout = layoutOf({ routes: [haproxyRoute(edgePlanOf([B]), { name: "new", hosts })], classes: [] });
  const maps = presentMaps(layout, await state(), {
    hosts: [
      ["moved.example.org", "shop:web"],
      ["gone.example.org", "shop:gone"],
      ["former.example.org", "shop:web"],
    ],
    wildcards: [[".moved.example.org", "shop:web"]],
  });
  expect(maps).toMatchObject({ hosts: [["moved.example.org", "shop:web"]], wildcards: [[".moved.example.org", "shop:web"]] });
  expect(planLeftovers({ ...layout, maps }, await state()).commands).toEqual([]);
  expect(planLeftovers(layout, await state()).commands).not.toEqual([]);
});

describe("what HAProxy answers", () => {
  test("servers: states as 2.6 writes them", () => {
    const head = "1\n# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_port\n";
    const rows = ["ready", "disabled", "ready after it was disabled", "drained", "down"].map(
      (name, i) =>
        `5 b ${i} ${name.replaceAll(" ", "-")} ${["192.0.2.1", "127.0.0.1", "2001:db8:0:0:0:0:0:1", "192.0.2.3", "192.0.2.4"][i]} ${[2, 0, 2, 2, 0][i]} ${[0, 5, 4, 8, 0][i]} 7 80`,
    );
    const state = parseServersState(`${head}${rows.join("\n")}\n\n`).get("b")!;
    expect(state.map(({ isReady }) => isReady)).toEqual([true, false, true, false, true]);
    expect(state.map(({ isDown }) => isDown)).toEqual([false, true, false, false, true]);
    expect(state[2]).toMatchObject({ address: "2001:db8::1", port: 80, weight: 7 });
  });
  test.each(["No such command", "1\n# be_id be_name\n5 b\n"])("servers: %j cannot be read", (text) =>
    expect(() => parseServersState(text)).toThrow(/show servers state/),
  );
  test("maps", () => {
    expect(parseMap("0x55bba98f56f0 shop.example.org shop:web\n\n")).toEqual([["shop.example.org", "shop:web"]]);
    expect(parseMap("Unknown map identifier. Please use #<id> or <file>.\n\n")).toEqual([]);
    expect(parseVersion("New version created: 12\n\n")).toBe(12);
    expect(parseVersion("Unknown map identifier. Please use #<id> or <file>.\n\n")).toBeUndefined();
  });
});

test("the order of wildcards counts, that of others does not", () => {
  const [one, other] = [["a", "x"] as const, ["b", "y"] as const];
  expect(sameMap("hosts", [one, other], [other, one])).toBe(true);
  expect(sameMap("wildcards", [one, other], [other, one])).toBe(false);
  expect(sameMap("hosts", [one], [one, other])).toBe(false);
});

test("a large map is replaced in parts that HAProxy's buffer holds, and shows at once", async () => {
  const { haproxy } = started(edgePlanOf([A]));
  const file = mapFile(haproxyOptions, "clients");
  const entries = Array.from({ length: 5000 }, (_, i) => [`198.51.${i >> 8}.${i & 255}`, "office"] as const);
  const version = parseVersion(await haproxy.ask(`prepare map ${file}`))!;
  const commands = replaceMap(file, version, entries);
  for (const command of commands.slice(0, -1)) {
    expect(command.length).toBeLessThan(16_000);
    await haproxy.ask(command);
    expect(haproxy.maps.get(file)).toEqual([]);
  }
  await haproxy.ask(commands.at(-1)!);
  expect(haproxy.maps.get(file)).toEqual(entries.map(([key, value]) => `${key} ${value}`));
});

test("what `show map` answers is the same as its entries are", () => {
  const word = fc.stringMatching(/^[a-c:./]{1,3}$/);
  const entries = fc.uniqueArray(fc.tuple(word, word), { selector: ([key]) => key, maxLength: 6 });
  const line = fc.oneof(
    { weight: 5, arbitrary: fc.constant("") },
    fc.constantFrom("\n", "Unknown map identifier.\n", "0x1f key\n", "0x1f a b c\n"),
  );
  const another = (text: string): string => text.replace(/^./, "z");
  const changed = (list: readonly MapEntry[]) =>
    fc.oneof(
      fc.constantFrom<readonly MapEntry[]>(
        list,
        list.map(([key, value]) => [key, another(value)]),
        list.map(([key, value]) => [another(key), value]),
        list.map(([key, value]) => [key, `${value}z`]),
      ),
      fc.shuffledSubarray([...list]),
      fc.shuffledSubarray([...list], { minLength: list.length }),
    );
  const shown = entries.chain((list) => fc.tuple(fc.constant(list), changed(list), line));
  fc.assert(
    fc.property(fc.constantFrom(...MAPS), shown, (name, [wanted, actual, more]) => {
      const answer = `${actual.map(([key, value]) => `0x55bba98f56f0 ${key} ${value}\n`).join("")}${more}\n`;
      const isBroken = more.startsWith("0x"); // no entry, and nothing that HAProxy says: whichever, it is looked at again
      expect(showsMap(name, wanted, answer)).toBe(!isBroken && sameMap(name, wanted, parseMap(answer)));
    }),
  );
});
