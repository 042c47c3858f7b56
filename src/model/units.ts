declare const unit: unique symbol;
type Unit<U extends string> = number & { readonly [unit]: U };

/** Clocks, timeouts and latencies; made only by {@link ms}. */
export type Milliseconds = Unit<"ms">;
/** TTLs, as on the wire; made only by {@link seconds}. */
export type Seconds = Unit<"s">;

export const ms = (value: number): Milliseconds => value as Milliseconds;
export const seconds = (value: number): Seconds => value as Seconds;
