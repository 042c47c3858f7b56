/**
 * Our Route 53 provider against moto, an emulator of AWS that others made. What moto has must hold; what it lacks is found out one by one and
 * stands in docs/moto.md, which this test writes (`vitest -u`) and compares.
 */
import {
  ChangeResourceRecordSetsCommand,
  CreateHostedZoneCommand,
  GetAccountLimitCommand,
  GetHostedZoneLimitCommand,
  ListHealthChecksCommand,
  ListTagsForResourceCommand,
  type Route53Client,
} from "@aws-sdk/client-route-53";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DesiredSet } from "../../../dns-providers/change.ts";
import type { SetPolicy } from "../../../dns-providers/record-set.ts";
import { createZoneSync } from "../../../dns-providers/zone-sync.ts";
import { requireComponent } from "../../support/component.ts";
import { desired } from "../../support/providers/provider-suite.ts";
import { type Moto, startMoto } from "../../support/providers/route53/moto.ts";
import { FREE_LANE, route53Client, route53ProviderOf } from "../../support/providers/route53-zone.ts";

const NEVER = new AbortController().signal;

/** moto has no quotas: whoever asks is told that he may not, as AWS does where a policy does not allow it. */
const withoutQuotas = (client: Pick<Route53Client, "send">): Pick<Route53Client, "send"> => ({
  send: (async (command: unknown, options: never) => {
    if (!(command instanceof GetHostedZoneLimitCommand) && !(command instanceof GetAccountLimitCommand))
      return client.send(command as never, options);
    throw Object.assign(new Error("moto has no quotas"), { name: "AccessDenied", $metadata: { httpStatusCode: 403 } });
  }) as Route53Client["send"],
});

interface Peer {
  readonly client: Route53Client;
  readonly zone: string;
  readonly sync: (sets: readonly DesiredSet[], epoch?: number) => Promise<void>;
  /** Reads the zone anew: nothing is left to do. */
  readonly isAsDesired: (sets: readonly DesiredSet[]) => Promise<void>;
}

let zones = 0;
async function peerOf(client: Route53Client): Promise<Peer> {
  const made = await client.send(new CreateHostedZoneCommand({ Name: "example.org.", CallerReference: `zone ${zones++}` }));
  const zone = (made.HostedZone?.Id ?? "").replace(/^\/hostedzone\//, "");
  const syncOf = () =>
    createZoneSync({
      provider: route53ProviderOf(withoutQuotas(client), zone, { lane: FREE_LANE }),
      ...{ domain: "example.org", owner: "prod-eu", policy: "Sync", now: () => 0, relistAfter: 0 },
    });
  const sync = syncOf();
  return {
    ...{ client, zone },
    async sync(sets, epoch = 1) {
      const outcome = await sync.sync({ desired: sets, epoch, signal: NEVER, isRemovalConfirmed: true });
      expect(outcome).toMatchObject({ kind: "Synced", plan: { conflicts: [] } });
    },
    async isAsDesired(sets) {
      expect(await syncOf().sync({ desired: sets, epoch: 1, signal: NEVER, isRemovalConfirmed: true })).toMatchObject({ batches: 0 });
    },
  };
}

const SHOP = desired("shop.example.org", ["20.0.0.1"]);
const members = (...policies: readonly SetPolicy[]): readonly DesiredSet[] =>
  policies.map((by, i) => ({ ...desired("shop.example.org", [`20.0.0.${i + 1}`]), routing: { id: `member-${i}`, by } }));
const holds =
  (...sets: readonly DesiredSet[]) =>
  async ({ sync, isAsDesired }: Peer) => {
    await sync(sets);
    await isAsDesired(sets);
  };
const LEAF = "backend-0-0123456789.prod-eu._routes._globalroute.example.org";

/** By what it is called in docs/moto.md. */
const CAPABILITIES: Readonly<Record<string, (peer: Peer) => Promise<void>>> = {
  "sets are made, listed and read back": holds(
    SHOP,
    desired("*.wild.example.org", ["20.0.0.2"]),
    desired("shop.example.org", ["2600::1"], "AAAA"),
  ),
  "a set that changes (UPSERT)": async (peer) => {
    await peer.sync([SHOP]);
    const moved = { ...SHOP, values: ["20.0.0.2", "20.0.0.3"], ttl: 5 };
    await peer.sync([moved]);
    await peer.isAsDesired([moved]);
  },
  "a set that leaves (DELETE)": async (peer) => {
    await peer.sync([SHOP, desired("blog.example.org", ["20.0.0.9"])]);
    await peer.sync([SHOP]);
    await peer.isAsDesired([SHOP]);
  },
  "lists in pages": holds(...Array.from({ length: 400 }, (_, i) => desired(`n${i}.example.org`, ["20.0.0.1"]))),
  "policy: weighted": holds(...members({ kind: "Weighted", weight: 70 }, { kind: "Weighted", weight: 30 })),
  "policy: failover": holds(...members({ kind: "Failover", role: "Primary" }, { kind: "Failover", role: "Secondary" })),
  "policy: latency": holds(...members({ kind: "Latency", region: "eu-west-1" }, { kind: "Latency", region: "us-east-1" })),
  "policy: geolocation": holds(...members({ kind: "Geo" }, { kind: "Geo", continent: "EU" }, { kind: "Geo", subdivision: "US-WA" })),
  "policy: geoproximity": holds(...members({ kind: "GeoProximity", latitude: 53.35, longitude: -6.26, bias: 10 })),
  "policy: multivalue": holds(...members({ kind: "MultiValue" }, { kind: "MultiValue" })),
  "policy: CIDR collections": holds(...members({ kind: "Subnets", subnets: [] }, { kind: "Subnets", subnets: ["192.0.2.0/24"] })),
  "aliases within the zone": holds(
    { ...desired(LEAF, ["20.0.0.1"]), resource: "helpers" },
    { ...desired("shop.example.org", [], "A", 0), alias: { target: LEAF, followsHealth: false } },
  ),
  "health checks": async (peer) => {
    const check = {
      type: "HTTPS",
      address: "20.0.7.1",
      port: 443,
      host: "shop.example.org",
      path: "/",
      interval: 10,
      threshold: 3,
    } as const;
    const sets = [{ ...members({ kind: "MultiValue" })[0]!, healthCheck: check }];
    await holds(...sets)(peer);
    const { HealthChecks = [] } = await peer.client.send(new ListHealthChecksCommand({}));
    expect(HealthChecks.filter(({ HealthCheckConfig }) => HealthCheckConfig?.IPAddress === "20.0.7.1")).toHaveLength(1);
  },
  "tags of health checks": async (peer) => {
    const check = { type: "TCP", address: "20.0.7.2", port: 443, interval: 30, threshold: 3 } as const;
    await peer.sync([{ ...members({ kind: "MultiValue" })[0]!, healthCheck: check }]);
    const { HealthChecks = [] } = await peer.client.send(new ListHealthChecksCommand({}));
    const id = HealthChecks.find(({ HealthCheckConfig }) => HealthCheckConfig?.IPAddress === "20.0.7.2")?.Id;
    const tags = await peer.client.send(new ListTagsForResourceCommand({ ResourceType: "healthcheck", ResourceId: id }));
    expect(tags.ResourceTagSet?.Tags).toContainEqual({ Key: "globalroute.dev/owner", Value: "globalroute prod-eu example.org" });
  },
  "what is there is not made again (CREATE)": async ({ sync, client, zone }) => {
    await sync([SHOP]);
    const set = { Name: "shop.example.org.", Type: "A", TTL: 30, ResourceRecords: [{ Value: "20.0.0.66" }] } as const;
    const again = new ChangeResourceRecordSetsCommand({
      HostedZoneId: zone,
      ChangeBatch: { Changes: [{ Action: "CREATE", ResourceRecordSet: { ...set, ResourceRecords: [...set.ResourceRecords] } }] },
    });
    await expect(client.send(again)).rejects.toMatchObject({ name: "InvalidChangeBatch" });
  },
  "what went is made again": async (peer) => {
    const blog = desired("blog.example.org", ["20.0.0.9"]);
    await peer.sync([SHOP, blog]);
    await peer.sync([blog]);
    await peer.sync([SHOP, blog]);
    await peer.isAsDesired([SHOP, blog]);
  },
  "a set is deleted only as it is, which the fence needs": async ({ sync, client, zone }) => {
    await sync([SHOP]);
    await sync([{ ...SHOP, values: ["20.0.0.2"] }]);
    const old = { Name: "shop.example.org.", Type: "A", TTL: 30, ResourceRecords: [{ Value: "20.0.0.1" }] } as const;
    const late = new ChangeResourceRecordSetsCommand({
      HostedZoneId: zone,
      ChangeBatch: { Changes: [{ Action: "DELETE", ResourceRecordSet: { ...old, ResourceRecords: [...old.ResourceRecords] } }] },
    });
    await expect(client.send(late)).rejects.toMatchObject({ name: "InvalidChangeBatch" });
  },
  "a member that leaves takes none of another name with it": async (peer) => {
    const [east, west] = members({ kind: "Weighted", weight: 1 }, { kind: "Weighted", weight: 2 });
    const elsewhere = [east!, west!].map((set) => ({ ...set, name: "blog.example.org", resource: "GlobalRoute/web/blog" }));
    await peer.sync([east!, west!, ...elsewhere]);
    await peer.sync([east!, ...elsewhere]);
    await peer.isAsDesired([east!, ...elsewhere]);
  },
  "the name servers of a zone (its delegation set)": async ({ client, zone }) => {
    const authority = await route53ProviderOf(client, zone, { lane: FREE_LANE }).authority?.(NEVER);
    expect(authority?.nameServers.length).toBeGreaterThan(1);
  },
  quotas: async ({ client, zone }) => {
    await client.send(new GetHostedZoneLimitCommand({ Type: "MAX_RRSETS_BY_ZONE", HostedZoneId: zone }));
  },
};

/** Without these nothing that moto says would count. */
const NEEDED = ["sets are made", "UPSERT", "lists in pages", "health checks", "policy: weighted", "policy: failover"];

const isHere = requireComponent("aws-python", "aws-python");

describe.skipIf(!isHere)("Route 53 (moto)", () => {
  let moto: Moto;
  let client: Route53Client;
  const found = new Map<string, boolean>();
  beforeAll(async () => {
    moto = await startMoto();
    client = route53Client(moto.url);
  });
  afterAll(async () => {
    client?.destroy();
    await moto?.stop();
  });

  for (const [name, holdsThere] of Object.entries(CAPABILITIES)) {
    test(`${name}: holds, or is told`, { timeout: 60_000 }, async () => {
      const failure = await holdsThere(await peerOf(client)).then(
        () => undefined,
        (error: unknown) => error,
      );
      found.set(name, failure === undefined);
      if (NEEDED.some((needed) => name.includes(needed))) expect(failure).toBeUndefined();
    });
  }

  test("docs/moto.md tells what it has and what it lacks", async () => {
    const list = (has: boolean): string => [...found].flatMap(([name, is]) => (is === has ? [`- ${name}\n`] : [])).join("");
    const text = `# What moto shows of the Route 53 provider, and what it cannot

[moto](https://github.com/getmoto/moto) is an emulator of AWS that others made. Our provider runs against its server, so that not only an emulator
of our own judges it; this page is written by \`test/integration/providers/moto.test.ts\`. What moto lacks is shown by our emulator alone.

## Holds there

${list(true)}
## moto lacks

${list(false)}`;
    await expect(text).toMatchFileSnapshot("../../../docs/moto.md");
  });
});
