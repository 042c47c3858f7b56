/**
 * The members of a fleet that are no real API servers, and the sites of all of them, in a process of their own: `fork` it and send it
 * {@link FleetOrder}s; each is answered when it is done.
 */
import { type FakeApiServer, startFakeApiServer } from "../../support/kube/fake-api-server.ts";
import { type Site, startSite } from "./sites.ts";

export type FleetOrder =
  | { readonly order: "start"; readonly fakes: number; readonly sites: readonly string[] }
  /** @param fake its position */
  | { readonly order: "seed"; readonly fake: number; readonly objects: readonly unknown[] }
  /** Its connections are refused from now on. */
  | { readonly order: "kill"; readonly site: string };

/** Kubeconfigs of the fakes, after `start`. */
export interface FleetAnswer {
  readonly kubeconfigs: readonly string[];
}

const fakes: FakeApiServer[] = [];
const sites = new Map<string, Site>();

async function obey(order: FleetOrder): Promise<void> {
  switch (order.order) {
    case "start":
      for (let i = 0; i < order.fakes; i++) fakes.push(await startFakeApiServer({ tls: true }));
      for (const address of order.sites) sites.set(address, await startSite(address));
      return;
    case "seed":
      fakes[order.fake]?.seed(order.objects);
      return;
    case "kill":
      await sites.get(order.site)?.kill();
  }
}

process.on("message", (order: FleetOrder) => {
  void obey(order).then(() => {
    const answer: FleetAnswer = { kubeconfigs: fakes.map((fake) => fake.kubeconfig()) };
    process.send?.(answer);
  });
});
process.on("disconnect", () => process.exit(0));
