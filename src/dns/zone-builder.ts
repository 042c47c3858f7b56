/**
 * The main thread's side of the zone worker: builds zone tables away from whoever answers or probes. A dead worker is replaced; what was
 * published goes on being served.
 */
import { Worker } from "node:worker_threads";
import type { Zone } from "../model/inventory.ts";
import type { Problem } from "../model/problem.ts";
import type { RoutingTable } from "../routing/table.ts";
import type { ServingTables, ZoneTable } from "./zone-table.ts";

/** What the worker needs of a routing table: all of it that is not about clients' addresses. */
export type ZoneRouting = Pick<RoutingTable, "hot" | "names" | "state">;

export type ZoneRequest = {
  readonly id: number;
  readonly zones: readonly Zone[];
  readonly routing: ZoneRouting;
  /** SOA SERIAL of zones that have none of their own. */
  readonly serial: number;
  /** Milliseconds since the epoch. */
  readonly now: number;
};

export interface ZoneResult {
  readonly zones: ZoneTable;
  readonly problems: readonly Problem[];
}

export type ZoneReply =
  | ({ readonly id: number; readonly kind: "built" } & ZoneResult)
  | { readonly id: number; readonly kind: "failed"; readonly message: string };

export interface BuiltTables extends ServingTables {
  /** What of the inventory the tables leave out. */
  readonly problems: readonly Problem[];
}

export interface ZoneBuilder {
  /**
   * Builds what serves these zones by this routing table. Several may be asked for at once; they are made one after another.
   *
   * Rejects with {@link ZoneBuildError}: what is served then goes on being served.
   */
  readonly build: (zones: readonly Zone[], routing: RoutingTable) => Promise<BuiltTables>;
  /** Whatever is under way is rejected. */
  readonly close: () => Promise<void>;
}

/** Zones that could not be built; the message is for people. */
export class ZoneBuildError extends Error {}

export interface ZoneBuilderOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Starts a thread that answers as `zone-worker.ts` does. */
  readonly newWorker?: () => Worker;
}

function startWorker(): Worker {
  // tsc leaves URLs alone, so the worker's ending follows this file's own: .ts in a checkout, .js in a package.
  const extension = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
  return new Worker(new URL(`./zone-worker${extension}`, import.meta.url), { name: "zones" });
}

interface Pending {
  readonly of: Worker;
  readonly resolve: (result: ZoneResult) => void;
  readonly reject: (error: ZoneBuildError) => void;
}

export function createZoneBuilder({ now, newWorker = startWorker }: ZoneBuilderOptions): ZoneBuilder {
  const pending = new Map<number, Pending>();
  let nextId = 1;
  let serial = 0;
  let worker: Worker | undefined;
  let isClosed = false;

  function start(): Worker {
    const started = newWorker();
    started.on("message", (reply: ZoneReply) => {
      const waiting = pending.get(reply.id);
      pending.delete(reply.id);
      if (reply.kind === "built") waiting?.resolve(reply);
      else waiting?.reject(new ZoneBuildError(reply.message));
    });
    const fail = (cause: Error): void => {
      if (worker === started) worker = undefined;
      // Its successor may be at work already: an error is told before the exit is.
      for (const [id, { of, reject }] of pending) {
        if (of !== started) continue;
        pending.delete(id);
        reject(new ZoneBuildError(`the zone worker ended: ${cause.message}`, { cause }));
      }
    };
    started.on("error", fail);
    started.on("exit", (code) => fail(new Error(`exit code ${code}`)));
    return started;
  }

  return {
    async build(zones, routing) {
      if (isClosed) throw new ZoneBuildError("the zone builder is closed");
      worker ??= start();
      const of = worker;
      const id = nextId++;
      const at = now();
      // Seconds since the epoch grow over restarts too; several tables within one second still differ.
      serial = Math.max(serial + 1, Math.floor(at / 1000));
      const { hot, names, state } = routing;
      const request: ZoneRequest = { id, zones, routing: { hot, names, state }, serial, now: at };
      const result = await new Promise<ZoneResult>((resolve, reject) => {
        pending.set(id, { of, resolve, reject });
        of.postMessage(request);
      });
      return { routing, zones: result.zones, problems: result.problems };
    },
    async close() {
      isClosed = true;
      const current = worker;
      worker = undefined;
      await current?.terminate();
    },
  };
}
