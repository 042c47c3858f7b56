/**
 * The control plane of an Envoy fleet in a process of its own, so that its memory is nobody else's: `fork` it with the number of routes, and send it
 * {@link ControlOrder}s; each is answered by a {@link ControlAnswer}, and the first answer tells the port.
 */
import { createEnvoyFleet } from "../../../../src/proxy/envoy/envoy-fleet.ts";
import { edgeBackend, edgePlanOf, edgeRoute } from "../edge-world.ts";

export type ControlOrder =
  /** The first endpoint of each of these routes stops serving, or serves again. */
  { readonly order: "flip"; readonly routes: readonly number[] } | { readonly order: "look" };

export interface ControlAnswer {
  readonly port: number;
  /** Before the update, and when all that it led to at once was written: milliseconds on the machine's monotonic clock. */
  readonly began: number;
  readonly ended: number;
  readonly responses: number;
  readonly accepted: number;
  readonly rejected: number;
  /** Nodes that have taken all that there is. */
  readonly current: number;
  /** CPU time of the process, ms. */
  readonly cpu: number;
}

/** The same in all processes of the machine, ms. */
const now = (): number => Number(process.hrtime.bigint()) / 1e6;

const PLACE = "here";
const routeOf = (number: number, isOut: boolean) => {
  const address = (site: number): string => `10.${site}.${number >> 8}.${number & 255}`;
  const plan = edgePlanOf(
    [edgeBackend("dublin", [isOut ? `!${address(1)}` : address(1)])],
    [edgeBackend("frankfurt", [address(2)])],
    [edgeBackend("virginia", [address(3)])],
  );
  return edgeRoute(number, { plans: new Map([[PLACE, plan]]) });
};

const count = Number(process.argv[2]);
const out = new Set<number>();
let routes = Array.from({ length: count }, (_, i) => routeOf(i, false));
const fleet = createEnvoyFleet({
  listen: { address: "127.0.0.1", port: 0 },
  flag: "--envoy",
  tls: undefined,
  wallClock: Date.now,
  placeOf: () => PLACE,
  listener: undefined,
});
fleet.update(routes);
const { port } = await fleet.start();

function obey(order: ControlOrder): void {
  if (order.order === "look") return;
  for (const route of order.routes) if (!out.delete(route)) out.add(route);
  const flipped = new Set(order.routes);
  routes = routes.map((route, i) => (flipped.has(i) ? { ...route, plans: routeOf(i, out.has(i)).plans } : route));
  fleet.update(routes);
}

function answer(began: number, ended: number): void {
  const isCurrent = ({ types }: ReturnType<typeof fleet.nodes>[number]): boolean =>
    types.cluster === "Current" && types.loadAssignment === "Current" && types.routes === "Current";
  const { user, system } = process.cpuUsage();
  const told: ControlAnswer = {
    ...{ port, began, ended, ...fleet.totals(), cpu: (user + system) / 1000 },
    current: fleet.nodes().filter(isCurrent).length,
  };
  process.send?.(told);
}

process.on("message", (order: ControlOrder) => {
  const began = now();
  obey(order);
  answer(began, now());
});
process.on("disconnect", () => process.exit(0));
answer(now(), now());
