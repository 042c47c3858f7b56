import { expect, test } from "vitest";
import { DNS_ENDPOINTS } from "../../dns-providers/dnsendpoint/part.ts";
import { createZoneSync } from "../../dns-providers/zone-sync.ts";
import { zone } from "../../test/support/dns-world.ts";
import { apiOf, interferedWith, memoryEndpoints, NAMESPACE } from "../../test/support/providers/dnsendpoint.ts";
import { desired } from "../../test/support/providers/provider-suite.ts";
import { ms } from "../model/units.ts";
import { createProviderOpener, type ProviderOpenerOptions } from "./open-provider.ts";
import type { ProvidedZone } from "./provider-publisher.ts";

const NEVER = new AbortController().signal;
const ZONE: ProvidedZone = {
  ...zone("elsewhere", "example.org", []),
  owner: "prod-eu",
  provider: { type: "ExternalDNS", namespace: NAMESPACE, interval: ms(60_000), adoptFrom: [], policy: "Sync" },
};
const options: ProviderOpenerOptions = {
  wallClock: () => 0,
  now: () => 0,
  setTimer: () => () => {},
  onPropagated: () => {},
};

test("DNSEndpoints need an API server: without one it is told who has one", () => {
  expect(() => createProviderOpener(options)(ZONE)).toThrow(
    "dnsendpoint dns example.org: DNSEndpoints are objects of an API server, and this process has none. Let globalroute controller keep",
  );
});

test("DNSEndpoints are read where the zone says, and what somebody else has too is news", async () => {
  const hub = memoryEndpoints();
  const open = createProviderOpener({ ...options, dnsEndpoints: apiOf(hub) });
  const news: unknown[] = [];
  const provider = open(ZONE, (one) => void news.push(one));
  expect(provider.capabilities).toMatchObject({ fencing: "Atomic", policies: [] });
  const shop = desired("shop.example.org", ["192.0.2.1"]);
  await createZoneSync({ provider, domain: "example.org", owner: "prod-eu", policy: "Sync", now: () => 0 }).sync({
    ...{ desired: [shop], epoch: 1, isRemovalConfirmed: true, signal: NEVER },
  });
  const written = hub.all(DNS_ENDPOINTS);
  expect(written.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`)).toEqual(["dns/globalroute-prod-eu.example.org-0"]);
  hub.put(DNS_ENDPOINTS, { ...interferedWith([], { ...shop, values: ["192.0.2.66"] }) });
  await provider.list(NEVER);
  expect(news).toMatchObject([{ kind: "Disputed", names: ["shop.example.org"], remedy: expect.stringContaining("namespace dns") }]);
  await open(ZONE).list(NEVER); // for a plan: nobody is told anything
  expect(news).toHaveLength(1);
  provider.close?.();
});
