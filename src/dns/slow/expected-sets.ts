/**
 * The RRsets that routes of signed zones are expected to answer with: each backend's addresses, as they are now and with all of them in use.
 * What is not among them (several backends in one answer, hosts that are wildcards) is signed when it is asked for.
 */
import { type HotTable, type LiveState, ROUTE_OFFERS_A, ROUTE_OFFERS_AAAA, Standing } from "../../routing/table.ts";
import { SvcParam, Type } from "../wire/codes.ts";
import type { ZoneTable } from "../zone-table.ts";
import { addData, describeSet, type SetScratch, sortAddresses } from "./rrset-signature.ts";

export interface ExpectedInput {
  readonly zones: ZoneTable;
  readonly hot: HotTable;
  readonly state: Pick<LiveState, "addressStanding">;
}

/** Rotations of a backend's addresses that are signed beforehand, for an answer that holds but some of them. */
const MOST_ROTATIONS = 64;

/**
 * Describes one set after another in `set`.
 *
 * @yields the zone whose key signs it
 */
export function* expectedSets(input: ExpectedInput, set: SetScratch): Generator<number, void> {
  const { zones, hot } = input;
  for (let node = 0; node < zones.nodeRoute.length; node++) {
    const route = zones.nodeRoute[node]!;
    const zone = zones.nodeZone[node]!;
    const name = zones.nodeName[node]!;
    const isWildcard = zones.bytes[name] === 1 && zones.bytes[name + 1] === 0x2a;
    if (route < 0 || isWildcard || zones.zoneNegativeSignature[zone]! < 0 || hot.routeSpread[route]! > 1) continue;
    for (const family of [0, 1] as const) {
      const offered = (hot.routeFlags[route]! & (family === 0 ? ROUTE_OFFERS_A : ROUTE_OFFERS_AAAA)) !== 0;
      if (offered) yield* addressSets(input, node, zone, route, family, set);
    }
    if (zones.routeAlpn[route + 1]! > zones.routeAlpn[route]!) yield* httpsSets(input, node, zone, route, set);
  }
}

function* addressSets(
  input: ExpectedInput,
  node: number,
  zone: number,
  route: number,
  family: 0 | 1,
  set: SetScratch,
): Generator<number, void> {
  const { hot } = input;
  const size = family === 0 ? 4 : 16;
  const answers = hot.routeAnswers[route]!;
  for (let backend = hot.routeBackends[route]!; backend < hot.routeBackends[route + 1]!; backend++) {
    for (const usable of usableAddresses(input, backend, family)) {
      const total = usable.length;
      const rotations = total > answers ? Math.min(total, MOST_ROTATIONS) : 1;
      for (let start = 0; start < rotations && total > 0; start++) {
        const numbers = rotate(usable, start, answers);
        sortAddresses(numbers, numbers.length, hot.addressBytes, size);
        describe(input, node, family === 0 ? Type.A : Type.AAAA, hot.routeTtlMax[route]!, set);
        for (const number of numbers) addData(set, hot.addressBytes, 16 * number, size);
        yield zone;
      }
    }
  }
}

/** Both families of a client use one slot, and so, while all is well, one backend. */
function* httpsSets(input: ExpectedInput, node: number, zone: number, route: number, set: SetScratch): Generator<number, void> {
  const { hot, zones } = input;
  const answers = hot.routeAnswers[route]!;
  const alpn = zones.bytes.subarray(zones.routeAlpn[route], zones.routeAlpn[route + 1]);
  const flags = hot.routeFlags[route]!;
  for (let backend = hot.routeBackends[route]!; backend < hot.routeBackends[route + 1]!; backend++) {
    const v4 = (flags & ROUTE_OFFERS_A) === 0 ? [new Uint32Array(0)] : usableAddresses(input, backend, 0);
    const v6 = (flags & ROUTE_OFFERS_AAAA) === 0 ? [new Uint32Array(0)] : usableAddresses(input, backend, 1);
    for (const four of v4) {
      for (const six of v6) {
        if (four.length + six.length === 0) continue;
        const turns = (count: number): number => (count > answers ? count : 1);
        const rotations = Math.min(leastCommonMultiple(turns(four.length), turns(six.length)), MOST_ROTATIONS);
        for (let turn = 0; turn < rotations; turn++) {
          const rdata = [0, 1, 0, ...parameter(SvcParam.ALPN, alpn)];
          rdata.push(...hints(hot, SvcParam.IPV4HINT, rotate(four, turn % turns(four.length), answers), 4));
          rdata.push(...hints(hot, SvcParam.IPV6HINT, rotate(six, turn % turns(six.length), answers), 16));
          describe(input, node, Type.HTTPS, hot.routeTtlMax[route]!, set);
          addData(set, Uint8Array.from(rdata), 0, rdata.length);
          yield zone;
        }
      }
    }
  }
}

function describe({ zones }: ExpectedInput, node: number, type: number, ttl: number, set: SetScratch): void {
  describeSet(type, ttl, zones.bytes, zones.nodeName[node]!, zones.nodeName[node + 1]!, set);
}

/** All addresses of a backend, and, where these are not all, those of best standing: an answer holds no others. */
function usableAddresses({ hot, state }: ExpectedInput, backend: number, family: 0 | 1): readonly Uint32Array[] {
  const start = hot.backendAddresses[backend * 2 + family]!;
  const end = hot.backendAddresses[backend * 2 + family + 1]!;
  const all = Uint32Array.from({ length: end - start }, (_, i) => start + i);
  const best = all.reduce((least, address) => Math.min(least, state.addressStanding[address]!), Standing.Absent as number);
  const now = all.filter((address) => state.addressStanding[address] === best);
  return now.length === all.length ? [all] : [all, now];
}

const rotate = (numbers: Uint32Array, start: number, count: number): Uint32Array =>
  Uint32Array.from({ length: Math.min(count, numbers.length) }, (_, i) => numbers[(start + i) % numbers.length]!);

const parameter = (key: number, value: ArrayLike<number>): readonly number[] => [
  0,
  key,
  value.length >>> 8,
  value.length & 0xff,
  ...Array.from(value),
];

function hints({ addressBytes }: HotTable, key: number, numbers: Uint32Array, size: number): readonly number[] {
  if (numbers.length === 0) return [];
  return parameter(
    key,
    [...numbers].flatMap((number) => [...addressBytes.subarray(16 * number, 16 * number + size)]),
  );
}

function leastCommonMultiple(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y !== 0) [x, y] = [y, x % y];
  return (a * b) / x;
}
