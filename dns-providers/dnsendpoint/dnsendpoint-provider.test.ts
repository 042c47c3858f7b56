import { describe, expect, test } from "vitest";
import { KubeError } from "../../controller/kube/kube-error.ts";
import type { MemoryHub } from "../../test/support/memory-hub.ts";
import {
  apiOf,
  dnsEndpointProviderOf,
  endpointsOf,
  interferedWith,
  lookUpIn,
  memoryEndpoints,
  NAMESPACE,
} from "../../test/support/providers/dnsendpoint.ts";
import { desired, providerSuite } from "../../test/support/providers/provider-suite.ts";
import type { DesiredSet } from "../change.ts";
import { type Provider, ProviderError } from "../provider.ts";
import type { RecordSet } from "../record-set.ts";
import { createZoneSync, type SyncOutcome } from "../zone-sync.ts";
import type { DnsEndpointNews } from "./dnsendpoint-provider.ts";
import type { ObjectApi } from "./object-api.ts";
import { DNS_ENDPOINTS, type DnsEndpointObject } from "./part.ts";

const NEVER = new AbortController().signal;
const FOREIGN: RecordSet = { name: "www.example.org", type: "A", ttl: 300, values: ["192.0.2.99"] };

for (const [title, room] of [
  ["a zone of one object", undefined],
  ["a zone of many objects", 2000],
] as const)
  providerSuite(`DNSEndpoints in memory: ${title}`, async () => {
    const hub = memoryEndpoints();
    const put = (object: DnsEndpointObject): void => void hub.put(DNS_ENDPOINTS, { ...object });
    put(interferedWith([], FOREIGN));
    return {
      provider: dnsEndpointProviderOf(apiOf(hub), room === undefined ? {} : { room }),
      lookUp: async (name, type) => lookUpIn(hub.all(DNS_ENDPOINTS), name, type),
      interfere: async (set) => put(interferedWith(hub.all(DNS_ENDPOINTS), set)),
      takesAnything: true, // an object is whatever ExternalDNS makes of it
      stop: async () => {},
    };
  });

const sync = (provider: Provider, sets: readonly DesiredSet[], epoch = 1): Promise<SyncOutcome> =>
  createZoneSync({
    ...{ provider, domain: "example.org", owner: "prod-eu", policy: "Sync", relistAfter: 0, now: () => 0 },
  }).sync({ desired: sets, epoch, isRemovalConfirmed: true, signal: NEVER });

const SHOP = desired("shop.example.org", ["192.0.2.1"]);
const CART = desired("cart.example.org", ["192.0.2.1"]);

describe("DNSEndpoints of others", () => {
  test("that have a name of ours hinder nothing, and are told until they are gone", async () => {
    const hub = memoryEndpoints();
    const news: DnsEndpointNews[] = [];
    const provider = dnsEndpointProviderOf(apiOf(hub), { onNews: (one) => void news.push(one) });
    await sync(provider, [SHOP]);
    const theirs = interferedWith([], { ...SHOP, values: ["192.0.2.66"] });
    hub.put(DNS_ENDPOINTS, { ...theirs });
    const outcome = await sync(provider, [{ ...SHOP, values: ["192.0.2.2"] }]);
    expect(outcome).toMatchObject({ kind: "Synced", plan: { conflicts: [] }, batches: 1 });
    expect(await sync(provider, [{ ...SHOP, values: ["192.0.2.2"] }])).toMatchObject({ batches: 0 });
    expect(news).toEqual([{ kind: "Disputed", names: ["shop.example.org"] }]);
    hub.remove(DNS_ENDPOINTS, `${NAMESPACE}/shop.example.org`);
    await provider.list(NEVER);
    expect(news.at(-1)).toEqual({ kind: "Disputed", names: [] });
  });

  test("of another zone, or with labels of no part, are none of it", async () => {
    const hub = memoryEndpoints();
    hub.put(DNS_ENDPOINTS, { ...interferedWith([], { ...FOREIGN, name: "www.example.net" }) });
    expect(await dnsEndpointProviderOf(apiOf(hub)).list(NEVER)).toEqual([]);
  });

  test("what somebody made since it was listed is seen before the next try", async () => {
    const hub = memoryEndpoints();
    const provider = dnsEndpointProviderOf(apiOf(hub));
    await sync(provider, [SHOP]);
    hub.put(DNS_ENDPOINTS, { ...interferedWith([], { ...CART, values: ["192.0.2.66"] }) });
    expect(await sync(provider, [SHOP, CART])).toMatchObject({ plan: { conflicts: [{ name: CART.name, reason: "Foreign" }] } });
  });
});

describe("what ExternalDNS has not read", () => {
  /** Time passes at once, and a provider whose patience is over at the first look. */
  const hasty = (hub: MemoryHub, news: DnsEndpointNews[], owner = "prod-eu"): Provider => {
    let now = 0;
    const sleep = async (milliseconds: number, signal: AbortSignal): Promise<void> => {
      await new Promise<void>((resolve) => setImmediate(resolve));
      signal.throwIfAborted();
      now += milliseconds;
    };
    return dnsEndpointProviderOf(apiOf(hub), { owner, patience: 5000, now: () => now, sleep, onNews: (one) => void news.push(one) });
  };
  const settled = async (): Promise<void> => {
    for (let i = 0; i < 10; i++) await new Promise<void>((resolve) => setImmediate(resolve));
  };

  test("is told by a process that finds it so, of its own owner only, until it is read", async () => {
    const hub = memoryEndpoints();
    await sync(dnsEndpointProviderOf(apiOf(hub)), [SHOP]);
    const [news, others]: [DnsEndpointNews[], DnsEndpointNews[]] = [[], []];
    const [later, other] = [hasty(hub, news), hasty(hub, others, "test")];
    await Promise.all([later.list(NEVER), other.list(NEVER)]);
    await settled();
    expect(news).toEqual([{ kind: "NotTakenUp", objects: ["globalroute-prod-eu.example.org-0"], milliseconds: 5000 }]);
    hub.put(DNS_ENDPOINTS, { ...hub.all(DNS_ENDPOINTS)[0]!, status: { observedGeneration: 1 } });
    await settled();
    expect(news.at(-1)).toMatchObject({ kind: "TakenUp" });
    await later.list(NEVER); // all of it is read: nothing to look at
    await settled();
    expect(news).toHaveLength(2);
    expect(others).toEqual([]);
  });
});

describe("what is written", () => {
  test("is one object, whose spec changes only with what clients get: ExternalDNS has nothing to do for a new term", async () => {
    const hub = memoryEndpoints();
    const provider = dnsEndpointProviderOf(apiOf(hub));
    await sync(provider, [SHOP, CART]);
    const generation = (): readonly unknown[] => hub.all(DNS_ENDPOINTS).map(({ metadata }) => metadata.generation);
    const before = generation();
    expect(before).toEqual([1]);
    expect(await sync(provider, [SHOP, CART], 2)).toMatchObject({ batches: 1 });
    expect(generation()).toEqual(before);
    expect(hub.all(DNS_ENDPOINTS).flatMap(endpointsOf)).toEqual([
      { dnsName: "cart.example.org", recordType: "A", targets: ["192.0.2.1"], recordTTL: 30 },
      { dnsName: "shop.example.org", recordType: "A", targets: ["192.0.2.1"], recordTTL: 30 },
    ]);
  });

  test("is written once more when ExternalDNS has written the status meanwhile, and not when somebody changed more", async () => {
    const hub = memoryEndpoints();
    const provider = dnsEndpointProviderOf(apiOf(hub));
    let lists = 0;
    const counted: Provider = {
      ...provider,
      list(signal) {
        lists++;
        return provider.list(signal);
      },
    };
    const ours = createZoneSync({
      ...{ provider: counted, domain: "example.org", owner: "prod-eu", policy: "Sync" },
      ...{ relistAfter: Number.POSITIVE_INFINITY, now: () => 0 },
    });
    const write = (address: string) => ours.sync({ desired: [{ ...SHOP, values: [address] }], epoch: 1, signal: NEVER });
    await write("192.0.2.1");
    hub.put(DNS_ENDPOINTS, { ...hub.all(DNS_ENDPOINTS)[0]!, status: { observedGeneration: 1 } });
    await write("192.0.2.2");
    expect(lists).toBe(1);
    hub.put(DNS_ENDPOINTS, { ...interferedWith(hub.all(DNS_ENDPOINTS), { ...SHOP, values: ["192.0.2.66"] }) });
    await write("192.0.2.3");
    expect(lists).toBe(2);
    expect(lookUpIn(hub.all(DNS_ENDPOINTS), SHOP.name, "A")?.values).toEqual(["192.0.2.3"]);
  });

  test("an object that somebody deleted is made anew, fence and all", async () => {
    const hub = memoryEndpoints();
    const provider = dnsEndpointProviderOf(apiOf(hub), { room: 1 });
    await sync(provider, [SHOP, CART]);
    for (const { metadata } of hub.all(DNS_ENDPOINTS)) {
      hub.remove(DNS_ENDPOINTS, `${NAMESPACE}/${metadata.name}`);
      await sync(provider, [SHOP, CART]);
      for (const { name } of [SHOP, CART]) expect(lookUpIn(hub.all(DNS_ENDPOINTS), name, "A")?.values).toEqual(["192.0.2.1"]);
    }
  });

  test("a set that it cannot tell is refused, and everything else is written", async () => {
    const hub = memoryEndpoints();
    const provider = dnsEndpointProviderOf(apiOf(hub), { policies: "Aws", room: 1 });
    const checked = { ...CART, healthCheck: { type: "TCP", address: "192.0.2.1", port: 443, interval: 30, threshold: 3 } } as const;
    const message = expect.stringContaining("health checks");
    expect(await sync(provider, [SHOP, checked])).toMatchObject({ refusal: { code: "refused", message } });
    const there = hub.all(DNS_ENDPOINTS);
    expect([lookUpIn(there, SHOP.name, "A"), lookUpIn(there, CART.name, "A")]).toMatchObject([{ values: SHOP.values }, undefined]);
  });

  test("a write whose answer was lost is void, also when what was there before is wanted again", async () => {
    const hub = memoryEndpoints();
    const api = apiOf(hub);
    const late: (() => Promise<unknown>)[] = [];
    let isLost = false;
    const provider = dnsEndpointProviderOf({
      ...api,
      async replace(...args) {
        if (!isLost) return await api.replace(...args);
        isLost = false;
        late.push(() => api.replace(...args));
        throw new KubeError("memory: no answer in time.", { status: 0, reason: "Timeout" });
      },
    });
    await sync(provider, [SHOP]);
    isLost = true;
    await expect(sync(provider, [{ ...SHOP, values: ["192.0.2.2"] }])).rejects.toMatchObject({ code: "unreachable" });
    expect(await sync(provider, [SHOP])).toMatchObject({ batches: 0 });
    await expect(late[0]!()).rejects.toMatchObject({ status: 409 });
    expect(lookUpIn(hub.all(DNS_ENDPOINTS), SHOP.name, "A")?.values).toEqual(["192.0.2.1"]);
  });
});

describe("what fails", () => {
  const cases: readonly { readonly name: string; readonly call: "list" | "create"; readonly status: number; readonly code: string }[] = [
    { name: "no such kind or namespace", call: "list", status: 404, code: "zone-missing" },
    { name: "no permission", call: "list", status: 403, code: "unauthorized" },
    { name: "no permission to write", call: "create", status: 403, code: "unauthorized" },
    { name: "the namespace is gone", call: "create", status: 404, code: "zone-missing" },
    { name: "too many requests", call: "list", status: 429, code: "rate-limited" },
    { name: "the server fails", call: "create", status: 500, code: "unavailable" },
    { name: "another schema", call: "create", status: 422, code: "refused" },
    { name: "no answer", call: "list", status: 0, code: "unreachable" },
  ];
  test.each(cases)("$name: $code", async ({ call, status, code }) => {
    const failing: ObjectApi = {
      ...apiOf(memoryEndpoints()),
      [call]: async () => {
        throw new KubeError("https://hub: it said no.", { status, reason: "" });
      },
    };
    const failure = await sync(dnsEndpointProviderOf(failing), [SHOP]).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ProviderError);
    expect(failure).toMatchObject({
      code,
      message: expect.stringMatching(/^dnsendpoint dns example\.org: https:\/\/hub: it said no\. [A-Z]/),
    });
  });

  test("annotations that somebody broke are told, and nothing is written over them", async () => {
    const hub = memoryEndpoints();
    const provider = dnsEndpointProviderOf(apiOf(hub));
    await sync(provider, [SHOP]);
    const [object] = hub.all(DNS_ENDPOINTS);
    hub.put(DNS_ENDPOINTS, {
      ...object!,
      metadata: { ...object!.metadata, annotations: { ...object!.metadata.annotations, "globalroute.dev/claims": "[]" } },
    });
    await expect(provider.list(NEVER)).rejects.toMatchObject({
      code: "refused",
      message: expect.stringContaining("globalroute-prod-eu.example.org-0"),
    });
  });

  test("a list that goes on is not waited for when time is up", async () => {
    const api = { ...apiOf(memoryEndpoints()), list: () => new Promise<never>(() => {}) };
    const ending = new AbortController();
    const listed = dnsEndpointProviderOf(api).list(ending.signal);
    ending.abort(new Error("time is up"));
    await expect(listed).rejects.toMatchObject({ code: "unreachable" });
  });
});
