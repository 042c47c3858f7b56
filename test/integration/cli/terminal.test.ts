/** Commands on a real terminal: a pseudo-terminal made by script(1), in which a shell tells how the terminal was before and after. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { AdminServer } from "../../../src/admin/server.ts";
import { requireComponent } from "../../support/component.ts";
import { launcher } from "../../support/demo.ts";
import { startFakeServer } from "../../support/fake-server.ts";
import type { FakeView } from "../../support/fake-view.ts";

let view: FakeView;
let admin: AdminServer;
let url: string;

beforeEach(async () => {
  const every = (milliseconds: number, tick: () => void) => {
    const timer = setInterval(tick, milliseconds);
    return () => clearInterval(timer);
  };
  ({ view, admin, url } = await startFakeServer(every));
});
afterEach(() => admin.stop());

interface Session {
  /** All that the terminal was sent. */
  readonly seen: () => string;
  readonly type: (keys: string) => void;
  readonly signal: () => void;
  readonly ended: Promise<number | null>;
}

const BEFORE = "BEFORE";
const AFTER = "AFTER";

/** A terminal of 100 columns and 30 rows; around the command its settings are printed, as stty knows them. */
function session(args: readonly string[]): Session {
  const quoted = [process.execPath, launcher, ...args].map((word) => `'${word}'`).join(" ");
  const line = `stty cols 100 rows 30; echo ${BEFORE} $(stty -g); ${quoted}; code=$?; echo ${AFTER} $(stty -g); exit $code`;
  const child: ChildProcess = spawn("script", ["--quiet", "--return", "--command", line, "/dev/null"], {
    env: { ...process.env, GLOBALROUTE_SERVER: url, TERM: "xterm", SHELL: "/bin/sh", NO_COLOR: "" },
    stdio: ["pipe", "pipe", "inherit"],
  });
  let text = "";
  child.stdout?.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  return {
    seen: () => text,
    type: (keys) => void child.stdin?.write(keys),
    signal: () => void child.kill("SIGTERM"),
    ended: once(child, "close").then(([code]) => code),
  };
}

const settings = (text: string, when: string): string | undefined => new RegExp(`${when} (\\S+)`).exec(text)?.[1];
const within = { timeout: 20_000, interval: 50 };

describe.skipIf(!requireComponent("terminal", "script"))("on a terminal", () => {
  test.each([
    { name: "q", keys: "q" },
    { name: "Ctrl-C", keys: "\u0003" },
  ])("status --watch redraws in place, and $name leaves the terminal as it was", async ({ keys }) => {
    const { seen, type, ended } = session(["status", "--watch", "--interval", "60s"]);
    await vi.waitFor(() => expect(seen()).toContain("eu-west"), within);
    expect(seen()).not.toContain("Unhealthy");
    view.setHealth("eu-west", "Unhealthy");
    await vi.waitFor(() => expect(seen()).toContain("Unhealthy"), within); // the timer is a minute: the stream told
    type(keys);
    expect(await ended).toBe(0);
    const text = seen();
    expect(text.split("\u001b[?1049h")).toHaveLength(2); // the other screen, once
    expect(text.split("\u001b[?1049l")).toHaveLength(2);
    expect(text.lastIndexOf("\u001b[?25h")).toBeGreaterThan(text.lastIndexOf("\u001b[?25l")); // the cursor is back
    expect(text.slice(text.indexOf("\u001b[?1049h"), text.indexOf("\u001b[?1049l")).split("\u001b[H").length).toBeGreaterThan(2); // drawn over
    expect(settings(text, AFTER)).toBe(settings(text, BEFORE));
    expect(settings(text, AFTER)).toMatch(/^[0-9a-f]+(:[0-9a-f]+)+$/);
  });

  test("top --watch stays when the server goes away, and says so", async () => {
    const { seen, type, ended } = session(["top", "--watch", "--interval", "200ms"]);
    await vi.waitFor(() => expect(seen()).toContain("eu-west"), within);
    await admin.stop();
    await vi.waitFor(() => expect(seen()).toMatch(/cannot be reached \(ECONNREFUSED\)/), within);
    expect(seen()).toContain("as of ");
    type("q");
    expect(await ended).toBe(0);
    expect(settings(seen(), AFTER)).toBe(settings(seen(), BEFORE));
  });

  test("status has colours there, none with --no-color, and lines that fit", async () => {
    const coloured = session(["status"]);
    expect(await coloured.ended).toBe(0);
    expect(coloured.seen()).toContain("\u001b[32mHealthy\u001b[0m");
    const plain = session(["status", "--no-color"]);
    expect(await plain.ended).toBe(0);
    expect(plain.seen()).not.toContain("\u001b[");
    for (const line of plain
      .seen()
      .split(/\r?\n/)
      .filter((one) => !/BEFORE|AFTER/.test(one)))
      expect(line.length).toBeLessThanOrEqual(100);
  });
});
