/** The main thread's side of the compile worker: one request at a time, a dead worker is replaced, the last table goes on serving. */
import { Worker } from "node:worker_threads";
import type { Capabilities } from "../geo/capabilities.ts";
import type { GeoTable } from "../geo/geo-table.ts";
import type { LatencyMap } from "../geo/latency-model.ts";
import type { Inventory } from "../model/inventory.ts";
import type { ClientClasses, Questions } from "../proxy/client-classes.ts";
import type { Compiled } from "../routing/compile.ts";
import type { RoutingTable } from "../routing/table.ts";
import { createTableNamer } from "../routing/table-names.ts";
import { type InventoryPatch, patchInventory } from "./inventory-patch.ts";
import type { FolderContent } from "./read-folder.ts";
import type { SourceReading } from "./source.ts";

export interface GeoInfo {
  readonly id: string;
  /** Build date of the oldest file, ms since the epoch. */
  readonly buildEpoch: number;
  readonly capabilities: Capabilities;
}

export type CompileRequest =
  | { readonly id: number; readonly kind: "parse"; readonly content: FolderContent }
  | { readonly id: number; readonly kind: "load-geo"; readonly paths: readonly string[] }
  | {
      readonly id: number;
      readonly kind: "compile";
      /** Against that of the compile before, of this same worker. */
      readonly inventory: InventoryPatch;
      readonly latency: LatencyMap;
      readonly version: number;
      readonly now: number;
      /** Used only while no file could be loaded. */
      readonly geo?: GeoTable;
    }
  | {
      readonly id: number;
      readonly kind: "classes";
      /** Of the geo table of the compile before, of this same worker. */
      readonly geo: string;
      readonly questions: Questions;
    };

export type CompileReply =
  | { readonly id: number; readonly kind: "parsed"; readonly reading: SourceReading }
  | { readonly id: number; readonly kind: "geo"; readonly geo: GeoInfo }
  | { readonly id: number; readonly kind: "compiled"; readonly compiled: Told<Compiled>; readonly seconds: number }
  | { readonly id: number; readonly kind: "classes"; readonly classes: ClientClasses }
  | {
      readonly id: number;
      readonly kind: "failed";
      readonly message: string;
      readonly geo?: { readonly code: string; readonly file: string };
    };

/**
 * A table without what whoever asked for it knows: the names of its inventory; and geo data and the texts of addresses, where they are
 * those of the table before from this same worker. Receiving thousands of texts takes time.
 */
export type Told<C extends Compiled> = Omit<C, "table"> & {
  readonly table: Omit<RoutingTable, "names" | "geo"> & { readonly geo?: GeoTable; readonly addresses?: readonly string[] };
};

export interface Compiler {
  /** Text to inventory, with every problem in it. */
  parse(content: FolderContent): Promise<SourceReading>;
  /** Loads and checks geo files; the old ones stay in use when it rejects. */
  loadGeo(paths: readonly string[]): Promise<GeoInfo>;
  /** @param fallback geo table for as long as no file can be loaded (a saved one, or the one in use) */
  compile(
    inventory: Inventory,
    latency: LatencyMap,
    version: number,
    now: number,
    fallback?: GeoTable,
  ): Promise<{ readonly compiled: Compiled; readonly seconds: number }>;
  /**
   * `clientClasses`, by the geo data of the newest compile.
   *
   * @param geo id of those geo data; rejects when the worker has others by now
   */
  classes(geo: string, questions: Questions): Promise<ClientClasses>;
  close(): Promise<void>;
}

/** A worker that could not do what it was asked; the message is for people. */
export class CompileError extends Error {}

type Pending = { readonly of: Worker; readonly resolve: (reply: CompileReply) => void; readonly reject: (error: Error) => void };
type WithoutId<T> = T extends unknown ? Omit<T, "id"> : never;

function startWorker(): Worker {
  // tsc leaves URLs alone, so the worker's ending follows this file's own: .ts in a checkout, .js in a package.
  const extension = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
  return new Worker(new URL(`./compile-worker${extension}`, import.meta.url), { name: "compile" });
}

/** @param newWorker starts a thread that answers as `compile-worker.ts` does */
export function createCompiler(newWorker: () => Worker = startWorker): Compiler {
  const pending = new Map<number, Pending>();
  let nextId = 1;
  let worker: Worker | undefined;
  let geoPaths: readonly string[] | undefined;
  /** The one that holds the files of `geoPaths`; another one starts empty. */
  let loadedWorker: Worker | undefined;
  let closed = false;
  /** What a worker has of the inventory. */
  let told: { readonly by: Worker; readonly inventory: Inventory } | undefined;
  /** What a worker has said before. */
  let heard: { readonly of: Worker; readonly geo: GeoTable; readonly addresses: readonly string[] } | undefined;
  const namer = createTableNamer();

  function start(): Worker {
    const started = newWorker();
    started.on("message", (reply: CompileReply) => {
      pending.get(reply.id)?.resolve(reply);
      pending.delete(reply.id);
    });
    const fail = (cause: Error) => {
      if (worker === started) worker = undefined;
      // Its successor may be at work already: an error is told before the exit is.
      for (const [id, { of, reject }] of pending) {
        if (of !== started) continue;
        pending.delete(id);
        reject(new CompileError(`the compile worker ended: ${cause.message}`, { cause }));
      }
    };
    started.on("error", fail);
    started.on("exit", (code) => fail(new Error(`exit code ${code}`)));
    return started;
  }

  async function send(request: WithoutId<CompileRequest>): Promise<CompileReply> {
    if (closed) throw new CompileError("the compiler is closed");
    worker ??= start();
    const id = nextId++;
    const message = { ...request, id };
    const current = worker;
    const reply = await new Promise<CompileReply>((resolve, reject) => {
      pending.set(id, { of: current, resolve, reject });
      current.postMessage(message);
    });
    if (reply.kind === "failed") throw new CompileError(reply.message);
    return reply;
  }

  async function loadGeo(paths: readonly string[]): Promise<GeoInfo> {
    const reply = await send({ kind: "load-geo", paths });
    if (reply.kind !== "geo") throw new CompileError("unexpected reply");
    geoPaths = paths;
    loadedWorker = worker;
    return reply.geo;
  }

  /** Loads the files again into a worker that replaced a dead one. When they are gone by now, the caller's geo table has to do. */
  async function reloadGeo(): Promise<void> {
    if (geoPaths !== undefined && (worker === undefined || worker !== loadedWorker)) await loadGeo(geoPaths).catch(() => undefined);
  }

  return {
    async parse(content) {
      const reply = await send({ kind: "parse", content });
      if (reply.kind !== "parsed") throw new CompileError("unexpected reply");
      return reply.reading;
    },
    loadGeo,
    async compile(inventory, latency, version, now, fallback) {
      await reloadGeo();
      const needsGeo = fallback !== undefined && (worker === undefined || worker !== loadedWorker);
      worker ??= start();
      const of = worker;
      const patch = patchInventory(told?.by === of ? told.inventory : undefined, inventory);
      told = { by: of, inventory }; // from now on, whatever becomes of the compile
      const reply = await send({ kind: "compile", inventory: patch, latency, version, now, ...(needsGeo ? { geo: fallback } : {}) });
      if (reply.kind !== "compiled") throw new CompileError("unexpected reply");
      const { table: answer, ...rest } = reply.compiled;
      const before = heard?.of === of ? heard : undefined;
      const { geo = before?.geo, addresses = before?.addresses, ...table } = answer;
      if (geo === undefined || addresses === undefined) throw new CompileError("unexpected reply");
      heard = { of, geo, addresses };
      return { compiled: { ...rest, table: { ...table, geo, names: namer.name(inventory, addresses) } }, seconds: reply.seconds };
    },
    async classes(geo, questions) {
      const reply = await send({ kind: "classes", geo, questions });
      if (reply.kind !== "classes") throw new CompileError("unexpected reply");
      return reply.classes;
    },
    async close() {
      closed = true;
      const current = worker;
      worker = undefined;
      await current?.terminate();
    },
  };
}
