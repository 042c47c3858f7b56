/** The log: JSON lines for machines, or short lines for a person at a terminal. Log once, where an error stops travelling. */
import { type Logger, pino } from "pino";
import { printable } from "../model/printable.ts";

export type Log = Logger;

export const LOG_LEVELS = ["error", "warn", "info", "debug"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogOptions {
  readonly level: LogLevel;
  /** Lines for people instead of JSON. */
  readonly pretty: boolean;
  /** Takes whole lines, each with its line feed; standard error in production. */
  readonly write: (line: string) => void;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Members of logged objects whose values never reach the log, at the top and up to two levels down (docs/safety.md, rule 10). */
const SECRET_MEMBERS = ["token", "password", "secret", "authorization", "cookie", "privateKey", "kubeconfig"];

/** @returns a logger; nothing is buffered, so that the last line before a crash is there */
export function createLog(options: LogOptions): Log {
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"time":"${new Date(options.now()).toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: SECRET_MEMBERS.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: "[redacted]" },
    },
    { write: options.pretty ? (line: string) => options.write(prettyLine(line)) : options.write },
  );
}

/** `12:00:01 warn  config rejected file=a.yaml problems=3`: the JSON line again, for people. */
function prettyLine(line: string): string {
  const record: unknown = JSON.parse(line);
  if (typeof record !== "object" || record === null) return line;
  const { time, level, msg, err, ...facts } = Object.fromEntries<unknown>(Object.entries(record));
  const shown = Object.entries(facts).map(
    ([name, value]) => `${name}=${typeof value === "string" && !/[\s"=]/.test(value) ? value : JSON.stringify(value)}`,
  );
  const head = `${String(time).slice(11, 19)} ${String(level).padEnd(5)} ${[msg, ...shown].filter((part) => part !== undefined).join(" ")}`;
  return `${printable(head)}\n${errorLines(err)}`;
}

function errorLines(error: unknown): string {
  if (typeof error !== "object" || error === null || !("stack" in error)) return "";
  return `${String(error.stack)
    .split("\n")
    .map((line) => `    ${printable(line)}`)
    .join("\n")}\n`;
}
