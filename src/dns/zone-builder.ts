/**
 * The main thread's side of the zone worker: builds zone tables, and signs what is in them, away from whoever answers or probes. A dead worker
 * is replaced; what was published goes on being served.
 */
import { Worker } from "node:worker_threads";
import type { Zone } from "../model/inventory.ts";
import type { Problem } from "../model/problem.ts";
import type { RoutingTable } from "../routing/table.ts";
import type { SigningTable } from "./slow/rrset-signature.ts";
import type { SlowSecrets } from "./slow/slow-link.ts";
import type { ZoneView } from "./transfer/zone-view.ts";
import type { ServingTables, ZoneTable } from "./zone-table.ts";

/** What the worker needs of a routing table: all of it that is not about clients' addresses. */
export type ZoneRouting = Pick<RoutingTable, "hot" | "names" | "partitions" | "state">;

export type ZoneRequest =
  | {
      readonly id: number;
      readonly kind: "build";
      readonly zones: readonly Zone[];
      readonly routing: ZoneRouting;
      /** SOA SERIAL of zones that have none of their own. */
      readonly serial: number;
      /** Milliseconds since the epoch. */
      readonly now: number;
      /** What the hashes are keyed with by which signatures are found. */
      readonly hashKey: Int32Array;
    }
  /** Sign more of what the last build left. */
  | { readonly id: number; readonly kind: "sign"; readonly now: number }
  /** Build the same again, if what copies of zones have is other than what is served under `serials` (domain → SOA SERIAL). */
  | {
      readonly id: number;
      readonly kind: "advance";
      readonly now: number;
      readonly serial: number;
      readonly serials: ReadonlyMap<string, number>;
    };

export interface ZoneResult {
  readonly zones: ZoneTable;
  readonly problems: readonly Problem[];
  /** Undefined when no zone is signed. */
  readonly signing: SigningTable | undefined;
  readonly secrets: SlowSecrets;
  /** Zone → when the first of its signatures ends, seconds since the epoch; Infinity in a zone that is not signed. */
  readonly expires: readonly number[];
  /** What copies of zones have; of zones with `transfer` only. */
  readonly views: readonly ZoneView[];
  /** What keeps others from taking copies, or a restart from remembering them, in sentences. */
  readonly faults: readonly string[];
}

export type ZoneReply =
  | ({ readonly id: number; readonly kind: "built"; readonly unsigned: number } & ZoneResult)
  /** `unsigned`: how many expected RRsets are still to be signed; until then they are signed when they are asked for. */
  | { readonly id: number; readonly kind: "signed"; readonly unsigned: number }
  | { readonly id: number; readonly kind: "same" }
  | { readonly id: number; readonly kind: "failed"; readonly message: string };

export interface BuiltZones extends Pick<ZoneResult, "problems" | "expires" | "views" | "faults"> {
  readonly tables: ServingTables;
  /** For threads that sign, and for no others. */
  readonly secrets: SlowSecrets;
}

export interface ZoneBuilder {
  /**
   * Builds what serves these zones by this routing table. Several may be asked for at once; they are made one after another.
   *
   * Rejects with {@link ZoneBuildError}: what is served then goes on being served.
   */
  readonly build: (zones: readonly Zone[], routing: RoutingTable) => Promise<BuiltZones>;
  /**
   * Builds the same tables again if live state or time have changed what copies of zones have, so that the server and its copies have one
   * serial. To be called every second or so while a zone has `transfer`.
   *
   * @param serials what is served now, by domain
   * @param routing the table that is served
   * @returns undefined when nothing is new, or another table was built last, whose live state is nobody's yet
   */
  readonly advance: (serials: ReadonlyMap<string, number>, routing: RoutingTable) => Promise<BuiltZones | undefined>;
  /** Whatever is under way is rejected. */
  readonly close: () => Promise<void>;
}

/** Zones that could not be built; the message is for people. */
export class ZoneBuildError extends Error {}

export interface ZoneBuilderOptions {
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Four random words: nobody outside can make two RRsets share a signature. Zeros if not given, which is for tests. */
  readonly hashKey?: Int32Array;
  /** Folder in which the views of zones with copies outlive the process; they are forgotten if not given. */
  readonly viewFolder?: string;
  /** Starts a thread that answers as `zone-worker.ts` does. */
  readonly newWorker?: () => Worker;
}

/** What a zone worker is started with. */
export interface ZoneWorkerData {
  readonly viewFolder: string | undefined;
}

function startWorker(workerData: ZoneWorkerData): Worker {
  // tsc leaves URLs alone, so the worker's ending follows this file's own: .ts in a checkout, .js in a package.
  const extension = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
  return new Worker(new URL(`./zone-worker${extension}`, import.meta.url), { name: "zones", workerData });
}

interface Pending {
  readonly of: Worker;
  readonly resolve: (reply: ZoneReply) => void;
  readonly reject: (error: ZoneBuildError) => void;
}

type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;

export function createZoneBuilder(options: ZoneBuilderOptions): ZoneBuilder {
  const { now, hashKey = new Int32Array(4), viewFolder } = options;
  const newWorker = options.newWorker ?? (() => startWorker({ viewFolder }));
  const pending = new Map<number, Pending>();
  let nextId = 1;
  let serial = 0;
  /** What the worker built last. */
  let latest: { readonly zones: readonly Zone[]; readonly routing: RoutingTable } | undefined;
  let worker: Worker | undefined;
  let isClosed = false;

  function start(): Worker {
    const started = newWorker();
    started.on("message", (reply: ZoneReply) => {
      const waiting = pending.get(reply.id);
      pending.delete(reply.id);
      if (reply.kind === "failed") waiting?.reject(new ZoneBuildError(reply.message));
      else waiting?.resolve(reply);
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

  function send(of: Worker, request: WithoutId<ZoneRequest>): Promise<ZoneReply> {
    const id = nextId++;
    return new Promise((resolve, reject) => {
      pending.set(id, { of, resolve, reject });
      of.postMessage({ ...request, id });
    });
  }

  /** Whatever is left, a piece at a time, so that a build in between does not wait for it. */
  async function signRest(of: Worker): Promise<void> {
    for (let unsigned = 1; unsigned > 0 && worker === of; ) {
      const reply = await send(of, { kind: "sign", now: now() });
      unsigned = reply.kind === "signed" ? reply.unsigned : 0;
    }
  }

  /** Seconds since the epoch grow over restarts too; several tables within one second still differ. */
  function nextSerial(at: number): number {
    serial = Math.max(serial + 1, Math.floor(at / 1000));
    return serial;
  }

  function taken(of: Worker, routing: RoutingTable, reply: Extract<ZoneReply, { kind: "built" }>): BuiltZones {
    if (reply.unsigned > 0) signRest(of).catch(() => undefined); // what it could not sign is signed when it is asked for
    const { zones, signing, ...rest } = reply;
    return { ...rest, tables: { routing, zones, ...(signing === undefined ? {} : { signing }) } };
  }

  async function build(zones: readonly Zone[], routing: RoutingTable): Promise<BuiltZones> {
    if (isClosed) throw new ZoneBuildError("the zone builder is closed");
    worker ??= start();
    const of = worker;
    const at = now();
    const { hot, names, partitions, state } = routing;
    const request = { kind: "build", zones, routing: { hot, names, partitions, state }, serial: nextSerial(at), now: at, hashKey } as const;
    const reply = await send(of, request);
    if (reply.kind !== "built") throw new ZoneBuildError("unexpected reply");
    latest = { zones, routing };
    return taken(of, routing, reply);
  }

  return {
    build,
    async advance(serials, routing) {
      const [of, known] = [worker, latest];
      if (known?.routing !== routing) return undefined;
      if (of === undefined) return build(known.zones, known.routing); // its successor knows nothing yet
      const at = now();
      const reply = await send(of, { kind: "advance", now: at, serial: nextSerial(at), serials });
      return reply.kind === "built" ? taken(of, routing, reply) : undefined;
    },
    async close() {
      isClosed = true;
      const current = worker;
      worker = undefined;
      await current?.terminate();
    },
  };
}
