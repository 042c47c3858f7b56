/** What of a route's policy a provider cannot follow. */
export interface LostPolicy {
  /** In the words of the field; never empty. */
  readonly lost: readonly string[];
  /** For people: what clients get. */
  readonly instead: string;
}
