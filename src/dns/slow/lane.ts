/** Where a query waits for a thread that signs. */

/** Names that exist, and transaction signatures: what is made for them is kept and asked for again. */
export const LANE_KNOWN = 0;
/** Names that do not exist, or only by a wildcard: anybody can ask for a new one each time. */
export const LANE_RANDOM = 1;
export type Lane = typeof LANE_KNOWN | typeof LANE_RANDOM;
