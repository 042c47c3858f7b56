import { expect, test } from "vitest";
import { createLog, type LogOptions } from "./log.ts";

function capture(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const log = createLog({
    level: "info",
    pretty: false,
    now: () => Date.UTC(2026, 10, 21, 12, 0, 1),
    write: (line) => lines.push(line),
    ...options,
  });
  return { log, lines };
}

test("a line is one JSON object with time, level, message and facts", () => {
  const { log, lines } = capture();
  log.info({ version: 7 }, "table published");
  expect(lines).toHaveLength(1);
  expect(lines[0]!.endsWith("\n")).toBe(true);
  expect(JSON.parse(lines[0]!)).toEqual({ time: "2026-11-21T12:00:01.000Z", level: "info", version: 7, msg: "table published" });
});

test("levels below the chosen one are not written", () => {
  const { log, lines } = capture({ level: "warn" });
  log.info("quiet");
  log.warn("loud");
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual(["loud"]);
});

test.each(["token", "password", "authorization", "secret", "cookie", "privateKey", "kubeconfig"])(
  "the value of %s never reaches the log",
  (name) => {
    const { log, lines } = capture();
    log.info({ [name]: "s3cr3t", headers: { [name]: "s3cr3t", inner: { [name]: "s3cr3t" } } }, "request");
    expect(lines.join()).not.toContain("s3cr3t");
    expect(lines.join()).toContain("[redacted]");
  },
);

test("secrets stay out of the lines for people too", () => {
  const { log, lines } = capture({ pretty: true });
  log.info({ token: "s3cr3t" }, "started");
  expect(lines).toEqual(["12:00:01 info  started token=[redacted]\n"]);
});

test("lines for people show facts that need quotes in quotes, and errors with their stack", () => {
  const { log, lines } = capture({ pretty: true });
  log.warn({ file: "a b.yaml", problems: 3 }, "rejected");
  log.error({ err: new Error("broken") }, "failed");
  expect(lines[0]).toBe('12:00:01 warn  rejected file="a b.yaml" problems=3\n');
  expect(lines[1]).toMatch(/^12:00:01 error failed\n {4}Error: broken\n {4} {4}at /);
});
