/** One route living through outages on simulated time: health changes, the route is evaluated, clients ask. */
import type { EndpointHealth } from "../../../src/model/health.ts";
import type { Route } from "../../../src/model/inventory.ts";
import { parsePrefix } from "../../../src/model/ip.ts";
import { type Decision, decide } from "../../../src/routing/decide.ts";
import {
  evaluateRoute,
  NEW_ROUTE,
  type RouteEvaluation,
  type RouteMemory,
  type RouteOrders,
  type UnitChange,
} from "../../../src/routing/evaluate-route.ts";
import { writeRoute } from "../../../src/routing/live-state.ts";
import { Standing } from "../../../src/routing/table.ts";
import { testInventory } from "./build-route.ts";
import { CLIENTS, COUNTRY_FILE, compileTestTable } from "./compile-test-world.ts";
import { HEALTHY, NO_ORDERS, REFUSED, SILENT, UNKNOWN } from "./health.ts";

export interface RouteLife {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly evaluation: () => RouteEvaluation;
  /** Everything that changed so far, as `backend/family from>to`, with `held` where it is. */
  readonly log: readonly string[];
  readonly changes: readonly UnitChange[];
  /** Gives all addresses of backends this health, those of one family if it is given, and evaluates after each backend. */
  readonly heal: (...backends: readonly string[]) => void;
  /** Refused connections: proven. */
  readonly kill: (...backends: readonly string[]) => void;
  /** Black holes: inferred. */
  readonly silence: (...backends: readonly string[]) => void;
  readonly set: (health: EndpointHealth, family: 4 | 6 | undefined, ...backends: readonly string[]) => void;
  /** One address alone. */
  readonly setAddress: (address: string, outcome: "ok" | "refused" | "timeout") => void;
  readonly order: (orders: Partial<RouteOrders>) => void;
  readonly warm: (warming: boolean) => void;
  /** Moves time on, evaluating whenever the route asks for it. */
  readonly advance: (seconds: number) => void;
  /** The process ends and another one starts from what was written down. */
  readonly restart: () => void;
  readonly ask: (client?: string, family?: 0 | 1, random?: number) => Decision;
  /** Clusters named, for a German client. */
  readonly served: (family?: 0 | 1) => string;
  readonly standing: (backend: string, family?: 0 | 1) => keyof typeof Standing;
}

const NAMES = Object.keys(Standing) as (keyof typeof Standing)[];
export const standingName = (standing: Standing): keyof typeof Standing => NAMES.find((name) => Standing[name] === standing)!;

/** @param initial health of everything at the start, before the first evaluation */
export function createRouteLife(route: Route, initial: EndpointHealth = HEALTHY): RouteLife {
  const { table } = compileTestTable(testInventory([route]), [COUNTRY_FILE]);
  const health = new Map<string, EndpointHealth>();
  const log: string[] = [];
  const changes: UnitChange[] = [];
  let now = 1_700_000_000_000;
  let memory: RouteMemory = NEW_ROUTE;
  let orders = NO_ORDERS;
  let warming = false;
  let evaluation: RouteEvaluation;

  function evaluate(): void {
    const result = evaluateRoute({ route, memory, orders, health: (address) => health.get(address) ?? initial, warming, now });
    memory = result.memory;
    writeRoute(table, 0, result);
    changes.push(...result.changes);
    log.push(
      ...result.changes.map(
        ({ backend, family, from, to, held }) => `${backend}/${family} ${standingName(from)}>${standingName(to)}${held ? " held" : ""}`,
      ),
    );
    evaluation = result;
  }

  evaluate();

  const set: RouteLife["set"] = (value, family, ...backends) => {
    for (const name of backends) {
      for (const address of route.backends.find((backend) => backend.name === name)!.addresses) {
        if (family === undefined || (family === 6) === address.includes(":"))
          health.set(address, { ...value, since: now, firstSign: now - 2000 });
      }
      evaluate();
    }
  };

  const ask: RouteLife["ask"] = (client = CLIENTS.DE, family = 0, random = 0.5) =>
    decide(table, 0, parsePrefix(client)!, family, random, now);

  return {
    now: () => now,
    evaluation: () => evaluation,
    log,
    changes,
    heal: (...backends) => set(HEALTHY, undefined, ...backends),
    kill: (...backends) => set(REFUSED, undefined, ...backends),
    silence: (...backends) => set(SILENT, undefined, ...backends),
    set,
    setAddress(address, outcome) {
      health.set(address, outcome === "ok" ? HEALTHY : outcome === "refused" ? REFUSED : SILENT);
      evaluate();
    },
    order(next) {
      orders = { ...NO_ORDERS, ...next };
      evaluate();
    },
    warm(next) {
      warming = next;
      evaluate();
    },
    advance(seconds) {
      const end = now + 1000 * seconds;
      while (evaluation.due <= end) {
        if (evaluation.due <= now) throw new Error(`asks to be evaluated at ${evaluation.due}, which is not after ${now}`);
        now = evaluation.due;
        evaluate();
      }
      now = end;
      evaluate();
    },
    restart() {
      memory = JSON.parse(JSON.stringify(memory)) as RouteMemory;
      const before = new Map(health);
      for (const backend of route.backends) for (const address of backend.addresses) health.set(address, UNKNOWN);
      evaluate();
      for (const [address, value] of before) health.set(address, value);
    },
    ask,
    served: (family = 0) => ask(CLIENTS.DE, family).clusters.join("+"),
    standing: (backend, family = 0) => standingName(evaluation.backends.find((one) => one.backend === backend)!.standing[family]),
  };
}
