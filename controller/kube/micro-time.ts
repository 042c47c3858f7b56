/**
 * A Kubernetes `MicroTime`: RFC 3339 with exactly six digits behind the point. API servers refuse the three that `toISOString` writes.
 *
 * @param at milliseconds since the epoch
 */
export const microTime = (at: number): string => new Date(at).toISOString().replace("Z", "000Z");
