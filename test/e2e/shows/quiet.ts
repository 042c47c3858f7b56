/**
 * `npm run shows:quiet [-- MINUTES]`: two replicas over a hub and three members, whose sites answer after 1 to 80 random milliseconds, left alone
 * for ten minutes. Prints from the audit logs of all four API servers each write that is no renewal of the writer's Lease, and each list; there is
 * to be none. Exit codes: 0 none, 1 some.
 */
import { setTimeout } from "node:timers/promises";
import type { AuditEntry } from "../support/audit.ts";
import { eventually } from "../support/eventually.ts";
import { kubectlOk } from "../support/kubectl.ts";
import { startReplicas } from "../support/replicas.ts";
import { publish, reaches, routeBecomes } from "../support/story.ts";
import { startWorld, WEB } from "../support/world.ts";

const minutes = Number(process.argv[2] ?? 10);
const ROUTES: readonly string[] = ["shop", "blog", "docs", "forum", "wiki"];
const JITTER_MS = { from: 1, to: 80 } as const;
/** What the start still brings: tables of all replicas, first verdicts. */
const SETTLING_MS = 30_000;
const BETWEEN_QUERIES_MS = 1000;

const isRead = ({ verb }: AuditEntry): boolean => verb === "get" || verb === "watch";
const isRenewal = ({ verb, resource, name }: AuditEntry): boolean =>
  verb === "update" && resource === "leases" && name === "globalroute-writer";
const say = (line: string): void => void process.stdout.write(`${line}\n`);

const world = await startWorld();
const replicas = await startReplicas(world.hub, 2);
const stop = async (): Promise<void> => {
  await Promise.all(replicas.map((replica) => replica.stop()));
  await world.stop();
};
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => void stop().then(() => process.exit(1)));

for (const { site } of world.members) site.answerAfter(() => JITTER_MS.from + Math.random() * (JITTER_MS.to - JITTER_MS.from));
const [first] = replicas;
if (first === undefined) throw new Error("no replica was started");
for (const name of ROUTES) await publish(world, first, name);
for (const replica of replicas) for (const member of world.members) await reaches(replica, "shop.example.org", member, member);
for (const name of ROUTES) await routeBecomes(world, name, "Ready", "True");
await eventually("all sites to be healthy", async () => {
  const table = await kubectlOk(world.hub, ["get", "globalroutes", "-n", WEB, "--no-headers"]);
  return table.split("\n").filter((line) => line.includes("3/3")).length === ROUTES.length;
});
await setTimeout(SETTLING_MS);

const servers = [world.hub, ...world.members.map(({ kube }) => kube)];
const before = new Map(servers.map((server) => [server.name, server.audit().length]));
const probesBefore = new Map(world.members.map(({ name, site }) => [name, site.requests()]));
const began = Date.now();
say(`quiet from ${new Date(began).toISOString()} for ${minutes} minutes`);
let queries = 0;
let wrong = 0;
while (Date.now() - began < minutes * 60_000) {
  for (const replica of replicas)
    for (const member of world.members) {
      const { answers } = await replica.dig("shop.example.org", member.clients);
      queries++;
      if (answers.join() !== member.site.address) wrong++;
    }
  await setTimeout(BETWEEN_QUERIES_MS);
}

let loud = 0;
for (const server of servers) {
  const since = server.audit().slice(before.get(server.name));
  const counts = Map.groupBy(since, ({ verb, resource }) => `${verb} ${resource}`);
  const told = [...counts].map(([what, { length }]) => `${what} ${length}`).toSorted();
  say(`${server.name}: ${since.length} requests: ${told.join(", ")}`);
  for (const entry of since) {
    if (isRead(entry) || isRenewal(entry)) continue;
    loud++;
    const object = entry.object === undefined ? "" : ` ${JSON.stringify(entry.object)}`;
    say(`  ${new Date(entry.at).toISOString()} ${entry.user} ${entry.verb} ${entry.uri} ${entry.status}${object}`);
  }
}
for (const { name, site } of world.members) say(`${name}: ${site.requests() - (probesBefore.get(name) ?? 0)} probes`);
say(`${queries} queries, ${wrong} of them answered otherwise`);
say(`${loud} writes and lists in ${minutes} minutes besides renewals of the writer's Lease`);
await stop();
process.exit(loud === 0 && wrong === 0 ? 0 : 1);
