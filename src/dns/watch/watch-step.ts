/** Looking out for an answer: what a reply says of it, and when to ask again. Pure. */

import type { Reply } from "../check/observations.ts";
import { addressesOf, answersOf, canonical } from "../check/read-reply.ts";
import { Rcode } from "../wire/codes.ts";

/**
 * @returns `Present` when one of the addresses is in the answer, `Absent` when others are and none of them; `Empty` for an answer without
 *          any address, and `Silent` when nobody answered, or with an error
 */
export function judgeReply(reply: Reply, type: number, addresses: readonly string[]): "Present" | "Absent" | "Empty" | "Silent" {
  if (!("message" in reply) || reply.message.rcode !== Rcode.NOERROR) return "Silent";
  const answered = new Set(addressesOf(answersOf(reply, type)));
  if (answered.size === 0) return "Empty"; // nobody is to get an empty answer: what it tells is not that clients have moved
  return addresses.some((address) => answered.has(canonical(address))) ? "Present" : "Absent";
}

/** Of what has been waited for, so that what is measured is never off by more. */
const SHARE = 0.05;
const LONGEST_GAP = 1000;

/**
 * @param waited   ms since it began
 * @param shortest ms between two questions to one server
 * @returns ms until the next question
 */
export const nextGap = (waited: number, shortest: number): number => Math.max(shortest, Math.min(LONGEST_GAP, SHARE * waited));
