/** Signs the RRsets that routes are expected to answer with, a piece at a time, and takes over what an earlier table has signed already. */
import { type ExpectedInput, expectedSets } from "./expected-sets.ts";
import { hashSet, newSetScratch, RENEWAL, type SigningTable, stampOf } from "./rrset-signature.ts";
import {
  newSignatureCache,
  readSignature,
  SIGNATURE_BYTES,
  type Signature,
  type SignatureCache,
  storeSignature,
} from "./signature-cache.ts";
import { signSet, type ZoneSecret } from "./slow-signer.ts";

export interface PinningInput extends Pick<SigningTable, "zoneHashKey">, ExpectedInput {
  /** Zone → its key; undefined = not signed. */
  readonly secrets: readonly (ZoneSecret | undefined)[];
  /** What the table before has. */
  readonly earlier: SignatureCache | undefined;
}

export interface Pinning {
  /** Shared with the threads that answer from it, while it is being filled too. */
  readonly signing: SigningTable;
  /**
   * Makes up to `most` signatures; those that are taken over do not count.
   *
   * @param now seconds since the epoch
   */
  readonly sign: (most: number, now: number) => void;
  /** Zone → when the first of its signatures ends, seconds since the epoch; Infinity when there is none. */
  readonly expires: () => readonly number[];
  /** Expected RRsets that are not signed yet. */
  readonly left: () => number;
}

/** More are not signed beforehand, but when they are asked for: 96 MiB. */
const MOST = 500_000;

export function createPinning(input: PinningInput): Pinning {
  const { zoneHashKey, secrets, earlier } = input;
  const set = newSetScratch();
  let left = 0;
  for (const _ of expectedSets(input, set)) if (++left === MOST) break;
  const signing: SigningTable = { zoneHashKey, pinned: newSignatureCache(2 * left) };
  const sets = expectedSets(input, set);
  const expires = secrets.map(() => Number.POSITIVE_INFINITY);
  const copy = new Uint8Array(8 + SIGNATURE_BYTES);
  const view = new DataView(copy.buffer);

  function earlierSignature(now: number): Signature | undefined {
    if (earlier === undefined || !readSignature(earlier, set.hash, now + RENEWAL, stampOf(now), copy, 0, 8)) return undefined;
    return { expiration: view.getUint32(0), inception: view.getUint32(4), bytes: copy.subarray(8) };
  }

  return {
    signing,
    expires: () => expires,
    left: () => left,
    sign(most, now) {
      for (let made = 0; made < most && left > 0; left--) {
        const { value: zone } = sets.next();
        const secret = zone === undefined ? undefined : secrets[zone];
        if (zone === undefined || secret === undefined || !hashSet(signing, zone, set)) continue;
        const known = earlierSignature(now);
        if (known === undefined) made++;
        const signature = known ?? signSet(secret, set, now);
        storeSignature(signing.pinned, set.hash, signature, stampOf(now), false);
        expires[zone] = Math.min(expires[zone]!, signature.expiration);
      }
    },
  };
}
