/** What `show servers state` answers (version 1 of its format): a line for each server, of which we need a few columns. Pure. */
import { formatIp, parseIp } from "../../model/ip.ts";
import type { Seat } from "./seats.ts";

export interface ServerRow extends Seat {
  readonly name: string;
  readonly weight: number;
  /** HAProxy itself could not connect to it, and does not use it until it can. */
  readonly isDown: boolean;
}

/** Rows by backend, in the order of their servers. */
export type ServersState = ReadonlyMap<string, readonly ServerRow[]>;

const COLUMNS = {
  backend: "be_name",
  server: "srv_name",
  address: "srv_addr",
  operation: "srv_op_state",
  admin: "srv_admin_state",
  weight: "srv_uweight",
  port: "srv_port",
} as const;

/** Bits of `srv_admin_state`: maintenance by command, inherited or for want of an address; draining by command or inherited. */
const OUT_OF_SERVICE = 0x01 | 0x02 | 0x20 | 0x08 | 0x10;
const STOPPED = 0;

/**
 * Reads one answer, or several one after another.
 *
 * @throws Error when it is of another version or lacks a column: then nothing in it can be relied on
 */
export function parseServersState(text: string): ServersState {
  const state = new Map<string, ServerRow[]>();
  let columns: ReadonlyMap<string, number> | undefined;
  for (const line of text.split("\n")) {
    if (line === "" || line === "1" || line === "Can't find backend.") continue;
    if (line.startsWith("# ")) {
      columns = new Map(
        line
          .slice(2)
          .split(" ")
          .map((name, i) => [name, i]),
      );
      continue;
    }
    if (columns === undefined) throw new Error(`\`show servers state\` answers what we cannot read: ${line.slice(0, 80)}`);
    const fields = line.split(" ");
    const field = (column: string): string => {
      const value = fields[columns?.get(column) ?? -1];
      if (value === undefined) throw new Error(`\`show servers state\` answers without ${column}: ${line.slice(0, 80)}`);
      return value;
    };
    const rows = state.get(field(COLUMNS.backend)) ?? [];
    state.set(field(COLUMNS.backend), rows);
    rows.push({
      name: field(COLUMNS.server),
      address: canonical(field(COLUMNS.address)),
      port: Number(field(COLUMNS.port)),
      weight: Number(field(COLUMNS.weight)),
      isReady: (Number(field(COLUMNS.admin)) & OUT_OF_SERVICE) === 0,
      isDown: Number(field(COLUMNS.operation)) === STOPPED,
    });
  }
  return state;
}

/** The C library writes some IPv6 addresses otherwise than RFC 5952. */
function canonical(address: string): string {
  const ip = parseIp(address);
  return ip === undefined ? address : formatIp(ip);
}
