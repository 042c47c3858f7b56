/** Knot and BIND take the zone from us: AXFR, then IXFR after a change, after NOTIFY, with TSIG. */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { TsigKey } from "../../../src/dns/transfer/tsig.ts";
import { Standing } from "../../../src/routing/table.ts";
import { requireComponent } from "../../support/component.ts";
import { record, ZONES } from "../../support/dns-world.ts";
import { freePort } from "../../support/free-port.ts";
import { type Secondary, type SecondaryOptions, startKnot, startNamed } from "../../support/secondary.ts";
import { startTransferProcess, type TransferProcess } from "../../support/transfer-process.ts";

const run = promisify(execFile);
const KEY: TsigKey = {
  name: "copies.example.org",
  algorithm: "hmac-sha256",
  secret: new TextEncoder().encode("a secret of thirty-two bytes here"),
};
/** First row of the second route, `shop`: two backends before it, two families each. */
const SHOP = 4;
const QUIET = 5100;

const peers: readonly { name: string; component: string; command: string; start: (options: SecondaryOptions) => Secondary }[] = [
  { name: "Knot", component: "knot", command: "knotd", start: startKnot },
  { name: "BIND", component: "bind", command: "named", start: startNamed },
];

/** A whole zone as sorted lines, without signatures of the exchange. */
async function copyOf(port: number, ...args: readonly string[]): Promise<readonly string[]> {
  const { stdout } = await run("dig", ["@127.0.0.1", "-p", String(port), "example.org", "AXFR", "+noall", "+answer", "+onesoa", ...args]);
  const lines = stdout.split("\n").filter((line) => line !== "" && !line.startsWith(";") && !/\sTSIG\s/.test(line));
  return [...new Set(lines.map((line) => line.replaceAll(/\s+/g, " ").toLowerCase()))].sort();
}
const signature = ["-y", `${KEY.algorithm}:${KEY.name}:${Buffer.from(KEY.secret).toString("base64")}`];

for (const { name, component, command, start } of peers) {
  describe.skipIf(!requireComponent(component, command))(name, () => {
    let us: TransferProcess;
    let secondary: Secondary;

    beforeAll(async () => {
      const port = await freePort();
      const transfer = {
        keys: [],
        allow: [{ networks: ["127.0.0.1/32"], key: KEY.name }],
        notify: [{ address: "127.0.0.1", port, key: KEY.name }],
      };
      us = await startTransferProcess(transfer, { keys: [KEY] });
      secondary = start({ port, primary: us.port, key: KEY });
    });
    afterAll(async () => {
      await secondary.stop();
      await us.stop();
    });

    const wait = (): Promise<void> =>
      new Promise((resolve) => setTimeout(resolve, Math.max(0, us.world.view().changedAt + QUIET - Date.now())));
    const equal = async (): Promise<void> => expect(await copyOf(secondary.port)).toEqual(await copyOf(us.port, ...signature));

    test("takes the whole zone by AXFR", async () => {
      await secondary.has(us.world.view().serial);
      expect(us.reports.find(({ domain, result }) => domain === "example.org" && result === "sent")).toMatchObject({
        type: "AXFR",
        key: KEY.name,
      });
      await equal();
    });

    test("a health flip reaches it by NOTIFY and IXFR", async () => {
      await wait();
      us.world.tables.routing.state.standing[SHOP] = Standing.Unhealthy;
      us.refresh();
      const { serial } = us.world.view();
      await secondary.has(serial);
      expect(us.notified.filter((event) => event.serial === serial && event.result === "acknowledged")).toHaveLength(1);
      expect(us.reports.filter((report) => report.serial === serial && report.result === "sent")).toMatchObject([
        { type: "IXFR", key: KEY.name },
      ]);
      await equal();
      const { stdout } = await run("dig", ["@127.0.0.1", "-p", String(secondary.port), "shop.example.org", "A", "+short"]);
      expect(stdout).toBe("203.0.113.1\n");
    });

    test("a changed record reaches it by IXFR", async () => {
      await wait();
      const { serial: before } = us.world.view();
      us.world.change(
        ZONES.map((zone) =>
          zone.domain === "example.org" ? { ...zone, records: [...zone.records, record("new.example.org", "TXT", "one", "two")] } : zone,
        ),
      );
      us.refresh();
      const { serial } = us.world.view();
      expect(serial).not.toBe(before);
      await secondary.has(serial);
      expect(us.reports.filter((report) => report.serial === serial && report.result === "sent")).toMatchObject([{ type: "IXFR" }]);
      await equal();
    });

    test("nothing was refused or broken off", () => {
      expect(us.reports.filter(({ result }) => result !== "sent" && result !== "current")).toEqual([]);
      expect(us.notified.filter(({ result }) => result === "refused" || result === "unverified")).toEqual([]);
    });
  });
}
