/** What operators choose, seen from outside: cookies, rate limiting, NSID, CH names, and what OPT holds when room is short. */
import { describe, expect, test } from "vitest";
import { dnsWorld, ROUTES } from "../../test/support/dns-world.ts";
import { createHostilePackets } from "../../test/support/hostile-packets.ts";
import { parseIp, parseNetwork } from "../model/ip.ts";
import { Standing } from "../routing/table.ts";
import { answer, newAnswerContext, useTables } from "./answer.ts";
import type { AnswerContext } from "./answer-context.ts";
import type { AnswerSettings } from "./answer-settings.ts";
import { newCookieSecrets } from "./cookies.ts";
import { newQueryCounters, readCookies, readLimited, readQueries, Transport } from "./counters.ts";
import { type RateLimitSettings, SEED_WORDS } from "./rate-limit.ts";
import { newSource, setSource } from "./source.ts";
import { Class, Flag, Option, Rcode, Type } from "./wire/codes.ts";
import { type DecodedMessage, decodeMessage } from "./wire/decode-message.ts";
import { encodeQuery, type QueryInput } from "./wire/encode-query.ts";

const EAST = "192.0.2.200";
const NSID = Buffer.from("edge-1");
const COOKIES = newCookieSecrets(new Uint8Array(16).fill(7));
const CLIENT = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

const RATE: RateLimitSettings = {
  limit: 10,
  sourceLimit: 100,
  slip: 2,
  exempt: [],
  seed: Int32Array.from({ length: SEED_WORDS }, (_, i) => Math.imul(i + 1, 0x9e3779b1)),
};

interface World {
  readonly context: AnswerContext;
  /** Milliseconds since the epoch; moves by hand. */
  now: number;
  readonly ask: (query: Partial<QueryInput>, asked?: Asked) => DecodedMessage | undefined;
  readonly send: (query: Uint8Array, asked?: Asked) => DecodedMessage | undefined;
}

interface Asked {
  readonly from?: string;
  readonly transport?: Transport;
  /** The most bytes that an answer may have. */
  readonly room?: number;
}

function world(settings: Partial<AnswerSettings> = {}, tables = dnsWorld()): World {
  const clock = { now: 1_800_000_000_000 };
  const context = newAnswerContext({ now: () => clock.now, random: () => 0.5 }, newQueryCounters(), { workers: 1, ...settings });
  useTables(context, tables);
  const send = (query: Uint8Array, { from = EAST, transport = Transport.UDP, room = 1232 }: Asked = {}): DecodedMessage | undefined => {
    const source = newSource(transport);
    setSource(source, from);
    const buffer = new Uint8Array(1232); // the query's own buffer, as the fast transport has it
    buffer.set(query);
    const length = answer(buffer, query.length, source, buffer, context);
    expect(length).toBeLessThanOrEqual(room);
    if (length === 0) return undefined;
    const message = decodeMessage(buffer.subarray(0, length));
    if (message === undefined) throw new Error("the reply is malformed");
    return message;
  };
  return {
    context,
    get now() {
      return clock.now;
    },
    set now(value) {
      clock.now = value;
    },
    ask: (query, asked) => send(encodeQuery({ id: 1, name: "shop.example.org", type: Type.A, ...query }), asked),
    send,
  };
}

const withCookie = (data: Uint8Array) => ({ edns: { options: [{ code: Option.COOKIE, data }] } });
const option = (message: DecodedMessage | undefined, code: number): Uint8Array | undefined =>
  message?.edns?.options.find((one) => one.code === code)?.data;
const nsid = { code: Option.NSID, data: new Uint8Array(0) };

describe("RFC 7873: cookies", () => {
  test("§5.2.3: a client cookie alone is answered with a server cookie, which is good from then on", () => {
    const { ask, context } = world({ cookies: COOKIES });
    const first = ask(withCookie(CLIENT));
    const cookie = option(first, Option.COOKIE)!;
    expect(first).toMatchObject({ rcode: Rcode.NOERROR, answers: [{ data: "192.0.2.1" }] });
    expect(cookie).toHaveLength(24);
    expect(cookie.subarray(0, 8)).toEqual(CLIENT);
    expect(option(ask(withCookie(cookie)), Option.COOKIE)).toEqual(cookie);
    expect(option(ask(withCookie(cookie), { from: "192.0.2.201" }), Option.COOKIE)).not.toEqual(cookie);
    expect(readCookies(context.counters)).toEqual([
      { state: "valid", count: 1 },
      { state: "client_only", count: 1 },
      { state: "invalid", count: 1 },
    ]);
  });

  test("§5.2.4: a wrong server cookie is answered all the same, with a new one", () => {
    const { ask } = world({ cookies: COOKIES });
    const reply = ask(withCookie(Uint8Array.from([...CLIENT, ...new Uint8Array(16)])));
    expect(reply).toMatchObject({ rcode: Rcode.NOERROR, answers: [{ data: "192.0.2.1" }] });
    expect(option(ask(withCookie(option(reply, Option.COOKIE)!)), Option.COOKIE)).toEqual(option(reply, Option.COOKIE));
  });

  test("§5.2.2: a malformed cookie is FORMERR, and gets none", () => {
    const { ask } = world({ cookies: COOKIES });
    const reply = ask(withCookie(CLIENT.subarray(1)));
    expect(reply).toMatchObject({ rcode: Rcode.FORMERR, answers: [] });
    expect(option(reply, Option.COOKIE)).toBeUndefined();
  });

  test("what is malformed elsewhere gets none either: the cookie may be half read", () => {
    const query = encodeQuery({ id: 1, name: "shop.example.org", type: Type.A, ...withCookie(CLIENT) });
    const reply = world({ cookies: COOKIES }).send(Uint8Array.from([...query, 0]));
    expect(reply).toMatchObject({ rcode: Rcode.FORMERR });
    expect(option(reply, Option.COOKIE)).toBeUndefined();
  });

  test("without OPT and without a cookie there is none in the answer; without a secret neither", () => {
    expect(option(world({ cookies: COOKIES }).ask({ edns: {} }), Option.COOKIE)).toBeUndefined();
    expect(option(world().ask(withCookie(CLIENT)), Option.COOKIE)).toBeUndefined();
  });

  describe("§5.4: a query without a question", () => {
    const bare = (data?: Uint8Array): Uint8Array => {
      const whole = encodeQuery({ id: 9, name: ".", type: Type.A, edns: data === undefined ? {} : withCookie(data).edns });
      const query = Uint8Array.from([...whole.subarray(0, 12), ...whole.subarray(17)]);
      query[5] = 0;
      return query;
    };
    test("gets a cookie and nothing else", () => {
      const { send } = world({ cookies: COOKIES });
      const reply = send(bare(CLIENT));
      expect(reply).toMatchObject({ rcode: Rcode.NOERROR, questions: [], answers: [], authorities: [] });
      expect(option(reply, Option.COOKIE)).toHaveLength(24);
      expect(send(bare(option(reply, Option.COOKIE)))).toMatchObject({ rcode: Rcode.NOERROR });
    });
    test("is told that a server cookie is no good", () => {
      const reply = world({ cookies: COOKIES }).send(bare(Uint8Array.from([...CLIENT, ...new Uint8Array(16)])));
      expect(reply).toMatchObject({ rcode: Rcode.BADCOOKIE, questions: [] });
      expect(option(reply, Option.COOKIE)).toHaveLength(24);
    });
    test("is FORMERR without a cookie, or where there are none", () => {
      expect(world({ cookies: COOKIES }).send(bare())).toMatchObject({ rcode: Rcode.FORMERR });
      expect(world().send(bare(CLIENT))).toMatchObject({ rcode: Rcode.FORMERR });
    });
  });
});

describe("rate limiting", () => {
  const results = (count: number, ask: (i: number) => DecodedMessage | undefined): string => {
    const letters = Array.from({ length: count }, (_, i) => {
      const reply = ask(i);
      if (reply === undefined) return "-";
      if (reply.rcode === Rcode.BADCOOKIE) return "B";
      return (reply.flags & Flag.TC) === 0 ? "a" : "T";
    });
    return letters.join("");
  };

  test("a second's worth is answered, then every other answer is dropped, the rest truncated and empty", () => {
    const w = world({ rateLimit: RATE });
    expect(results(16, () => w.ask({}))).toBe("aaaaaaaaaa-T-T-T");
    const slipped = [w.ask({}), w.ask({})].find((one) => one !== undefined);
    expect(slipped).toMatchObject({ rcode: Rcode.NOERROR, answers: [], authorities: [], additionals: [] });
    expect(readLimited(w.context.counters)).toEqual([
      { action: "slipped", count: 4 },
      { action: "dropped", count: 4 },
    ]);
    expect(readQueries(w.context.counters)).toEqual([
      { rcode: "NOERROR", type: "A", transport: "udp", count: 14 },
      { rcode: "dropped", type: "other", transport: "udp", count: 4 },
    ]);
    expect(w.context.counters.truncated[0]).toBe(0);
    w.now += 500;
    expect(results(7, () => w.ask({}))).toBe("aaaaa-T");
  });

  test.each([
    { slip: 0, shows: "aaaaaaaaaa----" },
    { slip: 1, shows: "aaaaaaaaaaTTTT" },
    { slip: 3, shows: "aaaaaaaaaa--T-" },
  ])("slip $slip", ({ slip, shows }) => {
    const w = world({ rateLimit: { ...RATE, slip } });
    expect(results(14, () => w.ask({}))).toBe(shows);
  });

  const apart: readonly { name: string; ask: (i: number) => Partial<QueryInput>; from?: (i: number) => string }[] = [
    { name: "networks of senders", ask: () => ({}), from: (i) => `203.0.${i}.1` },
    { name: "names", ask: (i) => ({ name: `${["shop", "v4only", "sticky", "plain"][i % 4]}.example.org` }) },
    {
      name: "client subnets",
      ask: (i) => ({ edns: { clientSubnet: { family: 4, address: Uint8Array.of(8, 8, i, 0), source: 24 } } }),
    },
    { name: "NOERROR and REFUSED", ask: (i) => (i % 2 === 0 ? {} : { name: "www.example.net" }) },
  ];
  test.each(apart)("$name are counted apart", ({ ask, from }) => {
    const w = world({ rateLimit: RATE });
    expect(results(20, (i) => w.ask(ask(i), from === undefined ? {} : { from: from(i) }))).toBe("a".repeat(20));
  });

  const together: readonly { name: string; ask: (i: number) => Partial<QueryInput>; from?: (i: number) => string }[] = [
    { name: "senders of one /24", ask: () => ({}), from: (i) => `203.0.113.${i}` },
    { name: "senders of one /56", ask: () => ({}), from: (i) => `2001:db8:0:${i.toString(16)}::${i}` },
    { name: "0x20 spellings of a name", ask: (i) => ({ name: i % 2 === 0 ? "SHOP.example.org" : "shop.EXAMPLE.org" }) },
    { name: "names that do not exist", ask: (i) => ({ name: `n${i}.example.org` }) },
    { name: "names that do not exist below others", ask: (i) => ({ name: `n${i}.${["ns1", "shop", "large"][i % 3]}.example.org` }) },
    { name: "names of one wildcard", ask: (i) => ({ name: `n${i}.apps.example.org` }) },
    { name: "NODATA by a wildcard", ask: (i) => ({ name: `n${i}.wild.example.org` }) },
    { name: "names behind one cut", ask: (i) => ({ name: `n${i}.child.example.org` }) },
    { name: "names that are not ours", ask: (i) => ({ name: `n${i}.example.net` }) },
    { name: "names of class CH", ask: (i) => ({ name: `n${i}.bind`, class: Class.CH, type: Type.TXT }) },
    { name: "types that are no data", ask: () => ({ type: Type.AXFR }) },
    {
      name: "longer client subnets of one /24",
      ask: (i) => ({ edns: { clientSubnet: { family: 4, address: Uint8Array.of(8, 8, 8, i), source: 32 } } }),
    },
    {
      name: "longer client subnets of one /56",
      ask: (i) => ({
        edns: { clientSubnet: { family: 6, address: Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, i, ...new Uint8Array(8)), source: 64 } },
      }),
    },
  ];
  test.each(together)("$name are counted as one", ({ ask, from }) => {
    const w = world({ rateLimit: { ...RATE, slip: 0 } });
    expect(results(12, (i) => w.ask(ask(i), from === undefined ? {} : { from: from(i) }))).toBe("aaaaaaaaaa--");
  });

  test("malformed queries are counted, and keep their RCODE when they slip", () => {
    const w = world({ rateLimit: { ...RATE, slip: 1 } });
    const query = encodeQuery({ id: 1, name: "shop.example.org", type: Type.A });
    const replies = Array.from({ length: 11 }, () => w.send(query.subarray(0, query.length - 1)));
    expect(replies.map((reply) => reply?.rcode)).toEqual(new Array(11).fill(Rcode.FORMERR));
    expect(replies.map((reply) => (reply!.flags & Flag.TC) !== 0)).toEqual([...new Array(10).fill(false), true]);
  });

  test("over all names and subnets a source prefix has a limit of its own", () => {
    const w = world({ rateLimit: { ...RATE, slip: 0 } });
    const names = ["shop", "v4only", "sticky", "plain", "web", "ns1", "many", "apex", "mail", "large", "www", "host.wild"];
    const ask = (i: number) =>
      w.ask({
        name: `${names[i % names.length]}.example.org`,
        type: i & 1 ? Type.A : Type.AAAA,
        edns: { clientSubnet: { family: 4, address: Uint8Array.of(8, i >> 8, i, 0), source: 24 } },
      });
    expect(results(103, ask)).toBe(`${"a".repeat(100)}---`);
  });

  test("TCP, a valid cookie and exempt networks are not limited", () => {
    const settings = {
      rateLimit: { ...RATE, exempt: [parseNetwork("192.0.2.128/25")!, parseNetwork("2001:db8::/33")!] },
      cookies: COOKIES,
    };
    const w = world(settings);
    const free = "a".repeat(20);
    const cookie = option(w.ask(withCookie(CLIENT), { from: "203.0.113.1" }), Option.COOKIE)!;
    expect(results(20, () => w.ask(withCookie(cookie), { from: "203.0.113.1" }))).toBe(free);
    expect(results(20, () => w.ask({}, { from: "203.0.113.2", transport: Transport.TCP }))).toBe(free);
    expect(results(20, () => w.ask({}))).toBe(free);
    expect(results(20, () => w.ask({}, { from: "2001:db8:7fff::1" }))).toBe(free);
    expect(results(12, () => w.ask({}, { from: "192.0.2.1" }))).toBe("aaaaaaaaaa-T");
    expect(results(12, () => w.ask({}, { from: "2001:db8:8000::1" }))).toBe("aaaaaaaaaa-T");
  });

  test("a limited client that knows cookies is given one instead of a truncated answer, and is free with it", () => {
    const w = world({ rateLimit: RATE, cookies: COOKIES });
    expect(results(14, () => w.ask(withCookie(CLIENT)))).toBe("aaaaaaaaaa-B-B");
    const replies = [w.ask(withCookie(CLIENT)), w.ask(withCookie(CLIENT))];
    const cookie = option(
      replies.find((one) => one !== undefined),
      Option.COOKIE,
    )!;
    expect(results(2, () => w.ask(withCookie(cookie)))).toBe("aa");
    expect(readQueries(w.context.counters)).toContainEqual({ rcode: "BADCOOKIE", type: "A", transport: "udp", count: 3 });
  });

  test("the limits are shared by the workers", () => {
    const w = world({ rateLimit: { ...RATE, slip: 0 }, workers: 2 });
    expect(results(7, () => w.ask({}))).toBe("aaaaa--");
  });
});

describe("who answers", () => {
  const chaos = (name: string, settings: Partial<AnswerSettings>, type: number = Type.TXT) =>
    world(settings).ask({ name, class: Class.CH, type });
  const both = { nsid: NSID, versionBind: Buffer.from("GlobalRoute") };

  test("NSID only for whoever asks (RFC 5001 §2)", () => {
    expect(Buffer.from(option(world(both).ask({ edns: { options: [nsid] } }), Option.NSID)!).toString()).toBe("edge-1");
    expect(option(world(both).ask({ edns: {} }), Option.NSID)).toBeUndefined();
    expect(option(world().ask({ edns: { options: [nsid] } }), Option.NSID)).toBeUndefined();
  });

  const cases: readonly { name: string; settings: Partial<AnswerSettings>; type?: number; text?: string }[] = [
    { name: "version.bind", settings: both, text: '"GlobalRoute"' },
    { name: "VERSION.server", settings: both, text: '"GlobalRoute"' },
    { name: "id.server", settings: both, text: '"edge-1"' },
    { name: "hostname.BIND", settings: both, text: '"edge-1"' },
    { name: "version.bind", settings: { nsid: NSID } },
    { name: "id.server", settings: { versionBind: both.versionBind } },
    { name: "authors.bind", settings: both },
    { name: "xversion.bind", settings: both },
    { name: "version.bind", settings: both, type: Type.A },
  ];
  test.each(cases)("$name $type: $text", ({ name, settings, type, text }) => {
    const reply = chaos(name, settings, type);
    if (text === undefined) expect(reply).toMatchObject({ rcode: Rcode.REFUSED, answers: [] });
    else expect(reply).toMatchObject({ rcode: Rcode.NOERROR, answers: [{ name, type: Type.TXT, class: Class.CH, ttl: 0, data: text }] });
  });

  test("class ANY is refused", () => {
    expect(world(both).ask({ name: "version.bind", class: Class.ANY, type: Type.TXT })).toMatchObject({ rcode: Rcode.REFUSED });
  });
});

describe("RFC 8914: answers that are no ordinary ones", () => {
  const shop = ROUTES.findIndex(({ name }) => name === "shop");
  const web = ROUTES.findIndex(({ name }) => name === "web");
  const cases: readonly { name: string; standing: number; last?: number; errors: readonly { code: number; text: string }[] }[] = [
    { name: "usable", standing: Standing.Usable, errors: [] },
    { name: "a failback is pending", standing: Standing.Pending, errors: [] },
    {
      name: "unknown",
      standing: Standing.Unknown,
      errors: [{ code: 0, text: "no backend is healthy: answered with one of unknown health" }],
    },
    {
      name: "unhealthy",
      standing: Standing.Unhealthy,
      errors: [{ code: 0, text: "no backend is healthy: answered with an unhealthy one" }],
    },
    { name: "draining", standing: Standing.Draining, errors: [{ code: 0, text: "no backend is healthy: answered with a draining one" }] },
    { name: "held", standing: Standing.Excluded, last: 1000, errors: [{ code: 3, text: "" }] },
  ];
  test.each(cases)("$name", ({ standing, last, errors }) => {
    const tables = dnsWorld();
    const { hot, state } = tables.routing;
    for (const route of [shop, web]) {
      for (let row = 2 * hot.routeBackends[route]!; row < 2 * hot.routeBackends[route + 1]!; row++) {
        state.standing[row] = standing;
        if (last !== undefined) state.lastUsable[row] = last;
      }
    }
    const w = world({}, tables);
    expect(w.ask({ edns: {} })?.edns?.extendedErrors).toEqual(errors);
    expect(w.ask({ name: "web.example.org", type: Type.HTTPS, edns: {} })?.edns?.extendedErrors).toEqual(errors);
    expect(w.ask({})).toMatchObject({ rcode: Rcode.NOERROR, answers: [{ data: "192.0.2.1" }] });
  });
});

describe("when room is short", () => {
  /** Room behind header, question and records of an answer without options. */
  const everything = (udpSize: number) => ({
    name: "many.example.org",
    edns: {
      udpSize,
      clientSubnet: { family: 4, address: parseIp("8.8.8.0")!.bytes, source: 24 } as const,
      options: [{ code: Option.COOKIE, data: CLIENT }, nsid],
    },
  });

  test("the text goes first, then the extended error, then NSID; records, client subnet and cookie stay", () => {
    const tables = dnsWorld();
    const many = ROUTES.findIndex(({ name }) => name === "many");
    const { hot, state } = tables.routing;
    for (let row = 2 * hot.routeBackends[many]!; row < 2 * hot.routeBackends[many + 1]!; row++) state.standing[row] = Standing.Unknown;
    const w = world({ cookies: COOKIES, nsid: NSID }, tables);
    const seen = new Set<string>();
    for (let size = 1232; size >= 512; size--) {
      const reply = w.ask(everything(size), { room: size })!;
      const codes = reply.edns!.options.map(({ code, data }) => (code === Option.EXTENDED_ERROR && data.length > 2 ? "text" : code));
      seen.add(`${codes.join(" ")}${(reply.flags & Flag.TC) === 0 ? "" : " TC"}`);
    }
    expect([...seen]).toEqual([
      "8 10 3 text", // everything fits
      "8 10 3 15",
      "8 10 3",
      "8 10 15", // where NSID does not fit, the shorter extended error may
      "8 10",
      "8 10 3 text TC", // records do not fit with client subnet and cookie; without them there is room again
    ]);
  });
});

test("hostile packets with everything switched on: no throw, every answer in place decodes and is within its room", () => {
  const hostile = createHostilePackets(9018, { forged: 0.5 });
  const settings = {
    cookies: COOKIES,
    nsid: NSID,
    versionBind: NSID,
    rateLimit: { ...RATE, limit: 1000, sourceLimit: 20_000, slip: 3 },
    workers: 1,
  };
  let now = 0;
  const context = newAnswerContext({ now: () => now, random: hostile.random }, newQueryCounters(), settings);
  useTables(context, dnsWorld());
  const source = newSource(Transport.UDP);
  setSource(source, "2001:db8:beef::1");
  for (let i = 0; i < 200_000; i++) {
    const length = hostile.next();
    now += 0.05;
    const id = (hostile.buffer[0]! << 8) | hostile.buffer[1]!;
    const written = answer(hostile.buffer, length, source, hostile.buffer, context);
    if (written <= 0) continue; // dropped, or for another thread
    if (context.reply.hasCookie) hostile.learn(context.reply.cookie);
    if (written > 1232 || ((hostile.buffer[0]! << 8) | hostile.buffer[1]!) !== id)
      throw new Error(`packet ${i}: not a response to its query`);
    if (decodeMessage(hostile.buffer.subarray(0, written)) === undefined) throw new Error(`packet ${i}: the answer does not decode`);
  }
  const counted = [...readLimited(context.counters), ...readCookies(context.counters)].map(({ count }) => count);
  expect(Math.min(...counted)).toBeGreaterThan(100);
});
