/** Looking out for an answer: what a reply says of it, and when to ask again. Pure. */

import type { Reply } from "../check/observations.ts";
import { addressesOf, answersOf, canonical } from "../check/read-reply.ts";
import { Rcode } from "../wire/codes.ts";

/**
 * @param gone addresses that are to be answered no more
 * @returns `Gone` once there is an answer and none of them is in it; `Silent` when nobody answered, or with an error; else `Still`
 */
export function judgeReply(reply: Reply, type: number, gone: Iterable<string>): "Gone" | "Still" | "Silent" {
  if (!("message" in reply) || reply.message.rcode !== Rcode.NOERROR) return "Silent";
  const addresses = new Set(addressesOf(answersOf(reply, type)));
  if (addresses.size === 0) return "Still"; // nobody is to get an empty answer: what it tells is not that clients have moved
  for (const address of gone) if (addresses.has(canonical(address))) return "Still";
  return "Gone";
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
