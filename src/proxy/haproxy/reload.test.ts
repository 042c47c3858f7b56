import { expect, test } from "vitest";
import { createSimulatedClock } from "../../../test/support/simulated-clock.ts";
import { ms } from "../../model/units.ts";
import { reloadByMaster, reloadHaproxy } from "./reload.ts";

const proc = (reloads: number, failed: number): string =>
  `#<PID>          <type>          <reloads>       <uptime>        <version>      \n2405            master          ${reloads} [failed: ${failed}]   0d00h00m05s     2.6.12\n# workers\n`;

/** A master as 2.6: `reload` answers nothing, and for a second nobody is there. */
function master({ takes, comesBack = true }: { readonly takes: boolean; readonly comesBack?: boolean }) {
  const clock = createSimulatedClock();
  let reloads = 3;
  let awayUntil = 0;
  const ask = async (command: string): Promise<string> => {
    if (clock.now() < awayUntil) throw new Error("connect ECONNREFUSED");
    if (command === "show proc") return proc(reloads, takes || reloads === 3 ? 1 : 2);
    reloads++;
    awayUntil = comesBack ? 1_000 : Number.POSITIVE_INFINITY;
    return "";
  };
  const outcome = reloadByMaster(ask, clock).then(
    () => "reloaded",
    (error) => String(error),
  );
  return { clock, outcome };
}

test.each([
  ["taken", { takes: true }, "reloaded"],
  ["refused", { takes: false }, "Error: its master refuses the configuration. `haproxy -c -f` on the file says why."],
  [
    "away for good",
    { takes: true, comesBack: false },
    "Error: its master has not come back within 30 s. Look at its log, and start it again.",
  ],
])("by a master: %s", async (_, how, wanted) => {
  const { clock, outcome } = master(how);
  await clock.advance(60_000);
  expect(await outcome).toBe(wanted);
});

test("a master that answers nothing any more is not waited for longer than one that is away", async () => {
  const clock = createSimulatedClock();
  let asked = 0;
  const ask = async (): Promise<string> => {
    if (asked++ === 0) return proc(0, 0);
    if (asked === 2) return "";
    await clock.sleep(5_000);
    throw new Error("silent");
  };
  const failed = reloadByMaster(ask, clock).catch(() => clock.now());
  await clock.advance(1_000_000);
  expect(await failed).toBeLessThanOrEqual(36_000);
});

test("a newer master says so at once", async () => {
  const ask = async (command: string) => (command === "reload" ? "Success=0\n--\n[ALERT] unknown keyword 'nonsense'\n" : proc(0, 0));
  await expect(reloadByMaster(ask, createSimulatedClock())).rejects.toThrow("[ALERT] unknown keyword 'nonsense'");
});

test("what answers is an admin socket", async () => {
  await expect(reloadByMaster(async () => "Unknown command: 'show proc'", createSimulatedClock())).rejects.toThrow(/no master/);
});

test("by a command: its last words are told when it fails", async () => {
  const clock = createSimulatedClock();
  const ports = { now: clock.now, setTimer: (delay: number, callback: () => void) => clock.setTimer(ms(delay), callback) };
  await reloadHaproxy({ command: ["true"] }, ports);
  await expect(reloadHaproxy({ command: ["sh", "-c", "echo no such unit >&2; exit 5"] }, ports)).rejects.toThrow(/failed: no such unit$/);
});
