/** Durations as text: GEP-2257, the strict subset of Go's durations that the Gateway API uses. */
import { type Decoded, decoded, fault } from "./fault.ts";
import { type Milliseconds, ms } from "./units.ts";

/** One to four of a number of at most five digits and a unit: `1h30m`, `10s`, `1500ms`. */
export const DURATION_PATTERN = "^([0-9]{1,5}(h|m|s|ms)){1,4}$";

const whole = new RegExp(DURATION_PATTERN);
const factors: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
const example = "Write whole numbers with the units h, m, s or ms, for example 5s, 1500ms or 1h30m.";

/** @returns milliseconds, or a fault that shows the form */
export function parseDuration(text: string): Decoded<Milliseconds> {
  if (!whole.test(text)) return fault("field-format", "is not a duration", example);
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+)(ms|h|m|s)/g)) total += Number(amount) * factors[unit!]!;
  return decoded(ms(total));
}

/**
 * The shortest usual spelling: largest units first, no zero parts.
 *
 * @param duration a whole number of milliseconds, not negative, below 100,000 hours
 */
export function formatDuration(duration: Milliseconds): string {
  let rest: number = duration;
  let text = "";
  for (const unit of ["h", "m", "s", "ms"]) {
    const amount = Math.floor(rest / factors[unit]!);
    rest -= amount * factors[unit]!;
    if (amount > 0) text += `${amount}${unit}`;
  }
  return text === "" ? "0s" : text;
}
