/** Brings what a batch's clients will be looked up in into the caches, before the first of them is answered. Hot. */
import { leafOfV4 } from "../../geo/lookup.ts";
import type { RoutingTable } from "../../routing/table.ts";
import { type Batch, HEADER_WORDS } from "./batch.ts";
import { SOCKADDR_V4 } from "./sockaddr.ts";

/** OPTION-CODE, OPTION-LENGTH, FAMILY, SOURCE, SCOPE and three bytes of a CLIENT-SUBNET option for an IPv4 /24 (RFC 7871 §6). */
const OPTION = 11;
const LEAST_MESSAGE = 12 + 5 + OPTION + OPTION;

/**
 * Looks up all IPv4 clients of a batch. A look-up is three or four cache misses, one after the other; here those of several clients are
 * under way at a time, which they are not when each is answered before the next is looked at. It guesses who the client is: the subnet in
 * the last eleven bytes of the message, where resolvers put it, else the sender. A wrong guess costs a look-up, and nothing depends on it.
 *
 * @returns a number without meaning, to be kept somewhere: what nobody keeps, the compiler need not work out
 */
export function warmPlaces(
  { geo, partitions }: RoutingTable,
  { slots, senders, words, receivedWord }: Batch,
  count: number,
  isV6: boolean,
): number {
  const marks = partitions[0]?.marks;
  let sum = 0;
  let last = 0;
  for (let i = 0; i < count; i++) {
    const slot = slots[i]!;
    const end = words[receivedWord + i * HEADER_WORDS]!;
    const at = end - OPTION;
    let ip = 0;
    if (end >= LEAST_MESSAGE && slot[at + 1] === 8 && slot[at + 3] === 7 && slot[at + 5] === 1 && slot[at + 6] === 24) {
      ip = (slot[at + 8]! << 24) | (slot[at + 9]! << 16) | (slot[at + 10]! << 8);
    } else if (!isV6) {
      const sender = senders[i]!;
      const from = SOCKADDR_V4.address;
      ip = (sender[from]! << 24) | (sender[from + 1]! << 16) | (sender[from + 2]! << 8) | sender[from + 3]!;
    } else {
      continue;
    }
    if (ip === last) continue; // one resolver's queries often come together
    last = ip;
    const leaf = leafOfV4(geo, ip);
    sum = (sum + (marks === undefined || leaf >= marks.length ? leaf : marks[leaf]!)) | 0;
  }
  return sum;
}
