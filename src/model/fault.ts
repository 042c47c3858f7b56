import type { ProblemCode } from "./problem-codes.ts";

/** What is wrong with a value, before anyone knows where it stands. A Problem is a fault with its place. */
export interface Fault {
  readonly code: ProblemCode;
  /** The fact, told of "it": `is not a duration`. The value is put in front by whoever reports it. */
  readonly message: string;
  /** The next step, a sentence. */
  readonly remedy: string;
}

/** What a decoder of one value returns: the value decoded, or why it cannot be. */
export type Decoded<T> = { readonly value: T } | { readonly fault: Fault };

export const decoded = <T>(value: T): Decoded<T> => ({ value });
export const fault = (code: ProblemCode, message: string, remedy: string): { readonly fault: Fault } => ({
  fault: { code, message, remedy },
});
