/** The right to write, as the holder of the writer's Lease has it. */

/** One term of being the writer. */
export interface WriterTerm {
  /** `spec.leaseTransitions` of the Lease: one more at each change of holder. */
  readonly epoch: number;
  /** Monotonic milliseconds until which this term surely lasts, by our own clock; moves on with each renewal. */
  readonly deadline: () => number;
  /** Aborted when the term is over. */
  readonly signal: AbortSignal;
}

/** Everything written carries it, and the hub's admission policy compares it with the Lease (docs/adr/0011-fence-by-admission.md). */
export const EPOCH_ANNOTATION = "globalroute.dev/writer-epoch";
/** Field manager of every write, and first part of the user agent. */
export const FIELD_MANAGER = "globalroute";
/** The Lease of the writer, in the controller's namespace. */
export const WRITER_LEASE = "globalroute-writer";
