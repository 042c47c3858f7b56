/**
 * The thread that parses objects, loads geo data, compiles tables and tells clients of proxies apart by them, so that a large configuration never
 * delays an answer or a probe.
 */
import { parentPort } from "node:worker_threads";
import { loadCloudRegions } from "../geo/cloud-regions.ts";
import { GeoFileError } from "../geo/geo-file-error.ts";
import { type GeoFiles, loadGeoFiles } from "../geo/geo-files.ts";
import type { GeoTable } from "../geo/geo-table.ts";
import type { Inventory } from "../model/inventory.ts";
import type { RegionTable } from "../model/region-table.ts";
import { clientClasses } from "../proxy/client-classes.ts";
import type { Compiled } from "../routing/compile.ts";
import { createCompileMemo } from "../routing/compile-memo.ts";
import type { RoutingTable } from "../routing/table.ts";
import type { CompileReply, CompileRequest, Told } from "./compiler.ts";
import { applyInventory } from "./inventory-patch.ts";
import { readObjects } from "./read-objects.ts";
import { compileWorld, createGeoCache, geoSuits } from "./world.ts";

const cache = createGeoCache();
const memo = createCompileMemo();
let files: GeoFiles | undefined;
let inventory: Inventory | undefined;
let regions: RegionTable | undefined;
/** What the answer before the present one said. */
let told: { readonly geo: GeoTable; readonly addresses: readonly string[] } | undefined;

async function answer(request: CompileRequest): Promise<CompileReply> {
  switch (request.kind) {
    case "load-geo": {
      const loaded = await loadGeoFiles(request.paths);
      files = loaded; // only a whole, checked set replaces the old one
      return { id: request.id, kind: "geo", geo: { id: loaded.id, buildEpoch: loaded.buildEpoch, capabilities: loaded.capabilities } };
    }
    case "parse": {
      regions ??= loadCloudRegions();
      const { inventory, problems, dependsOn = [] } = readObjects(request.content, regions, { geo: files?.capabilities });
      return { id: request.id, kind: "parsed", reading: { inventory, problems, dependsOn } };
    }
    case "compile": {
      const started = performance.now();
      inventory = applyInventory(inventory, request.inventory);
      const geo = files === undefined ? request.geo : cache.table(files, inventory);
      if (geo === undefined) throw new Error("no geo data is loaded");
      if (files === undefined && !geoSuits(geo, inventory)) {
        throw new Error("no geo file could be loaded, and the saved geo data does not know the networks of today's rules");
      }
      const { table, ...rest } = compileWorld(inventory, geo, request.latency, request.version, request.now, memo);
      const compiled = { ...rest, table: newOf(table) };
      return { id: request.id, kind: "compiled", compiled, seconds: (performance.now() - started) / 1000 };
    }
    case "classes": {
      const geo = told?.geo;
      if (geo?.id !== request.geo) throw new Error("another table was compiled since, or none");
      return { id: request.id, kind: "classes", classes: clientClasses(geo, request.questions) };
    }
  }
}

function newOf({ geo, names: { addresses }, ...table }: RoutingTable): Told<Compiled>["table"] {
  const before = told;
  told = { geo, addresses };
  return { ...table, ...(before?.geo === geo ? {} : { geo }), ...(before?.addresses === addresses ? {} : { addresses }) };
}

parentPort?.on("message", (request: CompileRequest) => {
  answer(request)
    .catch((error: unknown): CompileReply => {
      const geo = error instanceof GeoFileError ? { code: error.code, file: error.file } : undefined;
      return {
        id: request.id,
        kind: "failed",
        message: error instanceof Error ? error.message : String(error),
        ...(geo === undefined ? {} : { geo }),
      };
    })
    .then((reply) => parentPort?.postMessage(reply));
});
