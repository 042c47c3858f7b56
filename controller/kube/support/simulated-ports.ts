import { ms } from "../../../src/model/units.ts";
import type { SimulatedClock } from "../../../test/support/simulated-clock.ts";
import type { KubePorts } from "../kube-ports.ts";

/** A simulated clock as this room is given it. */
export const simulatedPorts = (clock: SimulatedClock, random: () => number = () => 0.5): KubePorts => ({
  now: clock.now,
  wallClock: clock.wallClock,
  random,
  setTimer: (delay, callback) => clock.setTimer(ms(delay), callback),
});
