/** The thread that parses objects, loads geo data and compiles tables, so that a large configuration never delays an answer or a probe. */
import { parentPort } from "node:worker_threads";
import { loadCloudRegions } from "../geo/cloud-regions.ts";
import { GeoFileError } from "../geo/geo-file-error.ts";
import { type GeoFiles, loadGeoFiles } from "../geo/geo-files.ts";
import type { Inventory } from "../model/inventory.ts";
import type { RegionTable } from "../model/region-table.ts";
import { createCompileMemo } from "../routing/compile-memo.ts";
import type { CompileReply, CompileRequest } from "./compiler.ts";
import { applyInventory } from "./inventory-patch.ts";
import { readObjects } from "./read-objects.ts";
import { compileWorld, createGeoCache, geoSuits } from "./world.ts";

const cache = createGeoCache();
const memo = createCompileMemo();
let files: GeoFiles | undefined;
let inventory: Inventory | undefined;
let regions: RegionTable | undefined;

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
      const { addresses } = table.names; // whoever asked knows the other names, and receiving thousands takes time
      const compiled = { ...rest, table: { ...table, names: { addresses } } };
      return { id: request.id, kind: "compiled", compiled, seconds: (performance.now() - started) / 1000 };
    }
  }
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
