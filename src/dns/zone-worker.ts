/** The thread that builds zone tables, so that a large zone never delays an answer or a probe. */
import { parentPort } from "node:worker_threads";
import type { ZoneReply, ZoneRequest } from "./zone-builder.ts";
import { buildZoneTable } from "./zone-table.ts";

function build({ id, zones, routing, serial }: ZoneRequest): ZoneReply {
  try {
    return { id, kind: "built", ...buildZoneTable(zones, routing, serial) };
  } catch (error) {
    return { id, kind: "failed", message: error instanceof Error ? error.message : String(error) };
  }
}

parentPort?.on("message", (request: ZoneRequest) => parentPort?.postMessage(build(request)));
