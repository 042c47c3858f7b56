import { describe, expect, test } from "vitest";
import { endpoint } from "../../../../test/support/http1/proxy-world.ts";
import { ms } from "../../../model/units.ts";
import { Ejection } from "./ejection.ts";
import { PROXY_SETTINGS } from "./settings.ts";

const { failures, longest } = PROXY_SETTINGS.ejection;
const EAST = endpoint("east");

const newEjection = (): Ejection => new Ejection(PROXY_SETTINGS.ejection);

function fail(ejection: Ejection, now: number, times = failures): void {
  for (let i = 0; i < times; i++) ejection.onFailure(EAST, ms(now));
}

/** Seconds from now on for which it is asked last. */
function ejectedFor(ejection: Ejection, now: number): number {
  let seconds = 0;
  while (ejection.isEjected(EAST, ms(now + 1000 * seconds))) seconds++;
  return seconds;
}

describe("an endpoint is ejected", () => {
  test("after five failures in a row, not before, and not with a success among them", () => {
    const ejection = newEjection();
    fail(ejection, 0, failures - 1);
    ejection.onSuccess(EAST);
    fail(ejection, 0, failures - 1);
    expect([ejectedFor(ejection, 0), ejection.ejections]).toEqual([0, 0]);
    fail(ejection, 0, 1);
    expect([ejectedFor(ejection, 0), ejection.ejections, ejection.count(ms(0))]).toEqual([10, 1, 1]);
    expect(ejection.isEjected(endpoint("west"), ms(0))).toBe(false);
  });

  test("for ten seconds, then twenty, and so on, never longer than five minutes, though failures come that were under way", () => {
    const ejection = newEjection();
    let now = 0;
    for (let times = 1; times <= 40; times++) {
      fail(ejection, now, times === 1 ? failures : 1); // later one is enough: that of the trial
      const time = Math.min(10 * times, 300);
      expect(ejectedFor(ejection, now)).toBe(time);
      fail(ejection, now + 1, 3);
      expect(ejectedFor(ejection, now)).toBe(time);
      now += 1000 * time;
      ejection.onSend(EAST, ms(now));
      expect(ejectedFor(ejection, now)).toBe(1); // the trial
    }
  });

  test("no more, once it has answered, and briefly again when that is long ago", () => {
    const ejection = newEjection();
    fail(ejection, 0);
    ejection.onSuccess(EAST);
    expect(ejectedFor(ejection, 0)).toBe(0);
    fail(ejection, 1000);
    expect(ejectedFor(ejection, 1000)).toBe(20);
    ejection.sweep(ms(21_000 + longest));
    expect(ejection.isQuiet).toBe(false);
    ejection.sweep(ms(21_001 + longest));
    expect(ejection.isQuiet).toBe(true);
  });
});
