import { describe, expect, test } from "vitest";
import { formatFence } from "../fence.ts";
import { formatOwnership } from "../ownership.ts";
import { ProviderError } from "../provider.ts";
import type { RecordSet } from "../record-set.ts";
import type { HttpAnswer, HttpRequest } from "./http-exchange.ts";
import { createPowerDnsProvider, type PowerDnsOptions } from "./powerdns-provider.ts";

const NEVER = new AbortController().signal;
const KEY = "an API key";
const FENCE = formatFence("example.org", "prod-eu", { epoch: 1, write: 1 });
const NEXT = formatFence("example.org", "prod-eu", { epoch: 1, write: 2 });
const SHOP: RecordSet = { name: "shop.example.org", type: "A", ttl: 30, values: ["192.0.2.1"] };
const LUA: RecordSet = { ...SHOP, type: "LUA", values: [`A ";local g=countryCode():lower() return {'192.0.2.1',}"`] };

const json = (value: unknown, status = 200): HttpAnswer => ({ status, body: JSON.stringify(value) });
const error = (status: number, reason: string): HttpAnswer => json({ error: reason }, status);
const zoneOf = (...sets: readonly RecordSet[]) => ({
  kind: "Native",
  rrsets: sets.map(({ name, type, ttl, values }) => ({
    ...{ name: `${name}.`, type, ttl },
    records: values.map((content) => ({ content, disabled: false })),
  })),
});
const settings = (values: Readonly<Record<string, string>>): HttpAnswer =>
  json(Object.entries(values).map(([name, value]) => ({ name, value })));

/** @param answers of a server, in the order of requests; a thrown value is thrown */
function provider(answers: readonly (HttpAnswer | Error)[], more: Partial<PowerDnsOptions> = {}) {
  const asked: HttpRequest[] = [];
  const exchange: PowerDnsOptions["exchange"] = async (request, signal) => {
    signal.throwIfAborted();
    const answer = answers[asked.push(request) - 1];
    if (answer === undefined) throw new Error("asked too often");
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { asked, ...createPowerDnsProvider({ server: "http://192.0.2.53:8081", domain: "example.org", apiKey: KEY, exchange, ...more }) };
}
const batch = (...after: readonly RecordSet[]) => ({
  fence: { action: "Replace", before: FENCE, after: NEXT } as const,
  changes: after.map((set) => ({ action: "Create", after: set }) as const),
});

describe("a zone", () => {
  test("is listed by its absolute name, with the key", async () => {
    const { list, asked } = provider([json(zoneOf(SHOP))]);
    expect(await list(NEVER)).toEqual([SHOP]);
    expect(asked).toMatchObject([
      { method: "GET", url: "http://192.0.2.53:8081/api/v1/servers/localhost/zones/example.org.", headers: { "x-api-key": KEY } },
    ]);
  });

  test("that the server has as a copy is not written to", async () => {
    const { list } = provider([json({ ...zoneOf(SHOP), kind: "Slave" })]);
    await expect(list(NEVER)).rejects.toMatchObject({ code: "refused", message: expect.stringContaining("Name the server that the copy") });
  });
});

describe("a batch", () => {
  test("reads the fence, then is one PATCH with the fence first", async () => {
    const { apply, asked } = provider([json(zoneOf(FENCE)), { status: 204, body: "" }]);
    await apply(batch(SHOP), NEVER);
    expect(asked.map(({ method, url }) => `${method} ${url.split("/zones/")[1]}`)).toEqual([
      "GET example.org.?rrset_name=prod-eu._fence._globalroute.example.org.&rrset_type=TXT",
      "PATCH example.org.",
    ]);
    const { rrsets } = JSON.parse(asked[1]!.body!) as {
      readonly rrsets: readonly { readonly name: string; readonly changetype: string }[];
    };
    expect(rrsets.map(({ name, changetype }) => `${changetype} ${name}`)).toEqual([
      "REPLACE prod-eu._fence._globalroute.example.org.",
      "REPLACE shop.example.org.",
    ]);
  });

  test.each([
    { name: "another fence is there", there: [NEXT] },
    { name: "the fence is gone", there: [] },
    { name: "the server knows no filter and tells everything", there: [SHOP, NEXT] },
  ])("$name: nothing is written", async ({ there }) => {
    const { apply, asked } = provider([json(zoneOf(...there))]);
    await expect(apply(batch(SHOP), NEVER)).rejects.toMatchObject({ code: "conflict" });
    expect(asked.length).toBe(1);
  });

  test("of a first term: a fence that is there already is another one", async () => {
    const { apply } = provider([json(zoneOf(FENCE))]);
    const first = { fence: { action: "Create", after: FENCE } as const, changes: [] };
    await expect(apply(first, NEVER)).rejects.toMatchObject({ code: "conflict" });
  });
});

test("what is replaced goes with the record that says whose it is, so that nobody's removal of the name leaves it alone", async () => {
  const owner = formatOwnership(SHOP.name, { owner: "prod-eu", resource: "GlobalRoute/web/shop", types: ["A"] });
  const { list, apply, asked } = provider([json(zoneOf(FENCE, SHOP, owner)), json(zoneOf(FENCE)), { status: 204, body: "" }]);
  await list(NEVER);
  const moved = { action: "Replace", before: SHOP, after: { ...SHOP, values: ["192.0.2.2"] } } as const;
  await apply({ ...batch(), changes: [moved] }, NEVER);
  const { rrsets } = JSON.parse(asked[2]!.body!) as { readonly rrsets: readonly { readonly name: string; readonly records: unknown }[] };
  expect(rrsets.slice(1)).toMatchObject([
    { name: `${owner.name}.`, type: "TXT", changetype: "REPLACE", records: [{ content: owner.values[0] }] },
    { name: `${SHOP.name}.`, type: "A", changetype: "REPLACE", records: [{ content: "192.0.2.2" }] },
  ]);
});

describe("LUA records", () => {
  const good = settings({ "enable-lua-records": "yes", launch: "gsqlite3,geoip" });
  const made = { status: 204, body: "" };

  test("are written once the server is seen to be fit for them, which is looked at again after a listing", async () => {
    const fenced = json(zoneOf(FENCE));
    const { apply, list, asked } = provider([fenced, good, made, fenced, made, fenced, fenced, good, made], { lua: "Server" });
    await apply(batch(LUA), NEVER);
    await apply(batch(LUA), NEVER);
    await list(NEVER);
    await apply(batch(LUA), NEVER);
    expect(asked.map(({ url }) => url.split("/localhost")[1]!.split("?")[0])).toEqual([
      ...["/zones/example.org.", "/config", "/zones/example.org."],
      ...["/zones/example.org.", "/zones/example.org."],
      ...["/zones/example.org.", "/zones/example.org.", "/config", "/zones/example.org."],
    ]);
  });

  test("are not where they would be answered by nothing", async () => {
    const { apply, asked } = provider([json(zoneOf(FENCE)), settings({ "enable-lua-records": "no" })], { lua: "Server" });
    await expect(apply(batch(LUA), NEVER)).rejects.toMatchObject({
      code: "refused",
      message: expect.stringContaining("ENABLE-LUA-RECORDS 1"),
    });
    expect(asked.length).toBe(2);
  });

  test("nor in a zone that was signed elsewhere", async () => {
    const { apply } = provider([json({ ...zoneOf(FENCE), presigned: true })], { lua: "Server" });
    await expect(apply(batch(LUA), NEVER)).rejects.toMatchObject({ code: "refused", message: expect.stringContaining("signed elsewhere") });
  });

  test("what the server lacks is told ahead of that", async () => {
    const lacking = settings({ "enable-lua-records": "yes", launch: "gsqlite3,geoip", "edns-subnet-processing": "no" });
    expect(await provider([lacking], { lua: "Server" }).checkSetup(NEVER)).toMatchObject([{ isFatal: false }]);
    expect(await provider([]).checkSetup(NEVER)).toEqual([]);
  });
});

describe("what a server refuses is told with its remedy", () => {
  const cases: readonly { name: string; answer: HttpAnswer | Error; code: string; says: string }[] = [
    {
      name: "a wrong key",
      answer: { status: 401, body: "Unauthorized" },
      code: "unauthorized",
      says: "Give the value of its setting api-key.",
    },
    { name: "no such zone", answer: error(404, "Not Found"), code: "zone-missing", says: "Make the zone there" },
    {
      name: "no such zone, in older words",
      answer: error(422, "Could not find domain 'example.org.'"),
      code: "zone-missing",
      says: "Make the zone there",
    },
    { name: "bad data", answer: error(422, "Record x/A '1': bad"), code: "refused", says: "Record x/A '1': bad" },
    {
      name: "what cannot stand beside what is there",
      answer: error(422, "RRset x IN A: Conflicts with pre-existing RRset"),
      code: "conflict",
      says: "It is read again.",
    },
    { name: "too much", answer: { status: 413, body: "" }, code: "refused", says: "webserver-max-bodysize" },
    { name: "too often", answer: { status: 429, body: "" }, code: "rate-limited", says: "It is tried again." },
    { name: "its own failure", answer: error(500, "database is locked"), code: "unavailable", says: "database is locked" },
    { name: "another program", answer: { status: 200, body: "<html>" }, code: "refused", says: "PowerDNS's webserver" },
    { name: "another API", answer: json({ items: [] }), code: "refused", says: "PowerDNS's webserver" },
    { name: "nobody there", answer: new Error("connect ECONNREFUSED"), code: "unreachable", says: "connect ECONNREFUSED" },
  ];
  test.each(cases)("$name", async ({ answer, code, says }) => {
    const failure = await provider([answer])
      .list(NEVER)
      .catch((thrown: unknown) => thrown);
    expect(failure).toBeInstanceOf(ProviderError);
    expect(failure).toMatchObject({ code, message: expect.stringContaining(says) });
    expect((failure as Error).message).toMatch(/^powerdns http:\/\/192\.0\.2\.53:8081 example\.org: /);
    expect((failure as Error).message).not.toContain(KEY);
  });

  test("silence", async () => {
    const gone = AbortSignal.abort(new Error("10 s are over"));
    await expect(provider([]).list(gone)).rejects.toMatchObject({
      code: "unreachable",
      message: expect.stringContaining("no answer in time"),
    });
  });
});
