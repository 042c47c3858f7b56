/** The map by which HAProxy finds a client's class. There may be 300,000 networks, and nothing else goes on while they are gone through. Pure. */
import type { ClientClass } from "../client-classes.ts";
import { classWord } from "./names.ts";

type Named = Pick<ClientClass, "name" | "networks">;
type ClientEntry = readonly [network: string, clientClass: string];

/** @returns ascending by network, each once; the same list again for the same classes, which all members of a fleet are told of */
export function clientEntries(classes: readonly Named[]): readonly ClientEntry[] {
  const entries = known.get(classes) ?? entriesOf(classes);
  known.set(classes, entries);
  return entries;
}

const known = new WeakMap<readonly Named[], readonly ClientEntry[]>();

function entriesOf(classes: readonly Named[]): readonly ClientEntry[] {
  const entries: ClientEntry[] = [];
  let isAscending = true;
  let last = "";
  for (const { name, networks } of classes) {
    const value = classWord(name);
    for (const network of networks) {
      if (!isNetwork(network)) continue;
      isAscending &&= last < network;
      last = network;
      entries.push([network, value]);
    }
  }
  if (isAscending) return entries; // as those of one class are
  entries.sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
  return entries.filter(([network], i) => network !== entries[i - 1]?.[0]);
}

/**
 * A check of its own: what is written into a file of another program's is never taken on trust. By its form alone, in a thirtieth of the time that
 * reading it takes.
 */
const isNetwork = (text: string): boolean => /^(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-f:.]*:[0-9a-f:.]*)\/\d{1,3}$/.test(text);
