/**
 * Which server of a backend stands for which endpoint. HAProxy's servers are made when it starts and only filled later, so there are more of
 * them than endpoints. Consistent hashing goes by the server, so an endpoint keeps its seat for as long as it is of the plan. Pure.
 */
import type { WantedServer } from "./layout.ts";

/** A server of a backend, as HAProxy has it now. */
export interface Seat {
  readonly address: string;
  readonly port: number;
  /** Gets requests, unless HAProxy itself finds it down. */
  readonly isReady: boolean;
}

export interface Seating {
  /** By position of the server; undefined = free. */
  readonly seats: readonly (WantedServer | undefined)[];
  /** For whom there is no server, or none before those that have gone are out of service. */
  readonly left: readonly WantedServer[];
}

const FEWEST = 2;

/** Servers that a backend should be given for so many endpoints: a power of two, and always room for one more. */
export const seatsFor = (endpoints: number): number => Math.max(FEWEST, 2 ** Math.ceil(Math.log2(endpoints + 1)));

/**
 * Newcomers are seated by address, so that all proxies that start with the same plan hash alike. They take servers that get no requests; where
 * there is none, one that is to get requests takes that of somebody who has gone, then that of one who gets nothing.
 */
export function seat(wanted: readonly WantedServer[], present: readonly Seat[]): Seating {
  const seats: (WantedServer | undefined)[] = present.map(() => undefined);
  const newcomers: WantedServer[] = [];
  for (const server of wanted) {
    const own = present.findIndex((one, i) => seats[i] === undefined && one.address === server.address && one.port === server.port);
    if (own < 0) newcomers.push(server);
    else seats[own] = server;
  }
  newcomers.sort((a, b) => (a.address < b.address ? -1 : 1));
  const left: WantedServer[] = [];
  for (const server of newcomers) {
    const at = seatOf(server, seats, present);
    if (at === undefined) left.push(server);
    else {
      const before = seats[at];
      seats[at] = server;
      if (before !== undefined) left.push(before);
    }
  }
  return { seats, left };
}

function seatOf({ weight }: WantedServer, seats: readonly (WantedServer | undefined)[], present: readonly Seat[]): number | undefined {
  const first = (fits: (i: number) => boolean): number | undefined => {
    const i = seats.findIndex((_, position) => fits(position));
    return i < 0 ? undefined : i;
  };
  return (
    first((i) => seats[i] === undefined && !present[i]!.isReady) ??
    (weight > 0 ? (first((i) => seats[i] === undefined) ?? first((i) => seats[i]!.weight === 0)) : undefined)
  );
}
