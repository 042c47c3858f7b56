/** What `explain` says against what the socket answers, for 10,000 random clients. */
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { decode, encode } from "dns-packet";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { z } from "zod";
import { SITES } from "../../../src/cli/demo/world.ts";
import { type Demo, globalroute, startDemo } from "../../support/demo.ts";

const CLIENTS = 10_000;
const AT_ONCE = 32;

let demo: Demo;
let socket: Socket;
const waiting = new Map<number, (addresses: readonly string[]) => void>();

beforeAll(async () => {
  demo = await startDemo();
  socket = createSocket("udp4");
  socket.connect(demo.dnsPort, "127.0.0.1");
  await once(socket, "connect");
  socket.on("message", (bytes) => {
    const { id = -1, answers = [] } = decode(bytes);
    waiting.get(id)?.(answers.flatMap((answer) => (answer.type === "A" ? [answer.data] : [])));
    waiting.delete(id);
  });
});
afterAll(async () => {
  socket?.close();
  await demo?.stop();
});

let nextId = 0;
function ask(host: string, client: string): Promise<readonly string[]> {
  nextId = (nextId + 1) & 0xffff;
  const id = nextId;
  const answer = new Promise<readonly string[]>((resolve, reject) => {
    waiting.set(id, resolve);
    setTimeout(() => waiting.delete(id) && reject(new Error(`no answer for ${host} from ${client}`)), 5_000).unref();
  });
  socket.send(
    encode({
      type: "query",
      id,
      questions: [{ type: "A", name: host }],
      additionals: [
        {
          type: "OPT",
          name: ".",
          udpPayloadSize: 1232,
          extendedRcode: 0,
          ednsVersion: 0,
          flags: 0,
          flag_do: false,
          options: [{ code: 8, ip: client, sourcePrefixLength: 32 }],
        },
      ],
    }),
  );
  return answer;
}

const explanation = z.object({
  addresses: z.array(z.string()),
  clusters: z.array(z.string()),
  shares: z.record(z.string(), z.number()).optional(),
  slot: z.number().optional(),
});
const explain = async (host: string, client: string) =>
  explanation.parse(await (await fetch(`${demo.admin}/v1/explain?host=${host}&client=${client}`)).json());

/** Reproducible random IPv4 addresses (mulberry32). */
function randomClients(seed: number, count: number): readonly string[] {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  };
  return Array.from({ length: count }, () => {
    const ip = next();
    return [ip >>> 24, (ip >>> 16) & 255, (ip >>> 8) & 255, ip & 255].join(".");
  });
}

async function forEach<T>(items: readonly T[], act: (item: T) => Promise<void>): Promise<void> {
  let at = 0;
  const work = async (): Promise<void> => {
    for (let item = items[at++]; item !== undefined; item = items[at++]) await act(item);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

const ADDRESSES = new Map(SITES.map((site) => [site.name, site.address]));

/** What a client may be answered: one address, or where chance decides those of every cluster that has a share. */
function allowed({ addresses, shares }: z.infer<typeof explanation>): readonly string[] {
  if (shares === undefined) return [addresses.toSorted().join()];
  return Object.entries(shares).flatMap(([cluster, share]) => (share > 0 ? [ADDRESSES.get(cluster) ?? ""] : []));
}

test.each(["shop", "app", "eu"])(`the socket answers %s.demo.example as explain says, for ${CLIENTS / 4} clients`, async (name) => {
  const host = `${name}.demo.example`;
  const differences: string[] = [];
  let decided = 0;
  await forEach(randomClients(name.length + name.charCodeAt(0), CLIENTS / 4), async (client) => {
    const [answered, explained] = [await ask(host, client), allowed(await explain(host, client))];
    if (explained.length === 1) decided++;
    if (!explained.includes(answered.toSorted().join())) differences.push(`${client}: ${answered} is not of ${explained.join(" or ")}`);
  });
  expect(differences).toEqual([]);
  expect(decided).toBeGreaterThan(CLIENTS / 8); // chance decides only for clients whose place nobody knows
});

test(`a random route names only explained clusters, in the explained shares (chi-square), for ${CLIENTS / 4} clients`, async () => {
  writeFileSync(
    join(demo.config, "route-random.yaml"),
    `apiVersion: globalroute.dev/v1alpha1
kind: GlobalRoute
metadata: {name: random}
spec:
  hosts: [random.demo.example]
  backends:
  - {name: eu-west, cluster: eu-west, addresses: [127.0.10.1], weight: 60}
  - {name: us-east, cluster: us-east, addresses: [127.0.10.2], weight: 30}
  - {name: sa-east, cluster: sa-east, addresses: [127.0.10.4], weight: 10}
  routing: {order: Weighted}
  health: {probe: {path: /healthz, port: ${demo.clusterPort}}, interval: 1s, timeout: 800ms}
`,
  );
  await vi.waitFor(async () => expect(await ask("random.demo.example", "192.0.2.1")).toHaveLength(1), { timeout: 10_000, interval: 200 });
  await vi.waitFor(async () => expect((await explain("random.demo.example", "192.0.2.1")).shares).toBeDefined(), 10_000);

  const { shares = {} } = await explain("random.demo.example", "192.0.2.1");
  expect(Object.keys(shares).sort()).toEqual(["eu-west", "sa-east", "us-east"]);
  expect(shares["eu-west"]).toBeCloseTo(0.6, 2);
  const counts = new Map<string, number>();
  await forEach(randomClients(42, CLIENTS / 4), async (client) => {
    const [address = "nothing"] = await ask("random.demo.example", client);
    counts.set(address, (counts.get(address) ?? 0) + 1);
  });
  expect([...counts.keys()].sort()).toEqual(["127.0.10.1", "127.0.10.2", "127.0.10.4"]);
  const chiSquare = Object.entries(shares).reduce((sum, [cluster, share]) => {
    const expected = (share * CLIENTS) / 4;
    return sum + ((counts.get(ADDRESSES.get(cluster) ?? "") ?? 0) - expected) ** 2 / expected;
  }, 0);
  expect(chiSquare).toBeLessThan(18.4); // two degrees of freedom: beyond this once in 10,000 runs
});

test("the command prints the decision on one screen", async () => {
  const { code, stdout } = await globalroute("explain", "shop.demo.example", "--client", "81.2.69.160", "--server", demo.admin);
  expect(code).toBe(0);
  for (const word of ["GB", "eu-west", "us-east", "ap-northeast", "sa-east", "km", "Healthy"]) expect(stdout).toContain(word);
  expect(stdout.split("\n").length).toBeLessThan(40);
});
