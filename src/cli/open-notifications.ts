/** `--notify FILE`: reads who is told of what, with the secrets that the file names. */
import { dirname, resolve } from "node:path";
import { readSecretFile } from "../dns/secret-file.ts";
import { formatProblem, type Problem } from "../model/problem.ts";
import type { Target } from "../notify/delivery.ts";
import { parseNotifyFile, type ReceiverSettings } from "../notify/notify-file.ts";
import { CommandError } from "./io.ts";

export interface OpenReceiver {
  readonly settings: ReceiverSettings;
  readonly target: Target;
}

export interface OpenNotifications {
  readonly windowMs: number;
  readonly receivers: readonly OpenReceiver[];
}

export interface NotifyReading {
  /** Undefined when something is wrong. */
  readonly opened?: OpenNotifications;
  readonly problems: readonly Problem[];
}

/**
 * Files that it names are sought beside it.
 *
 * @param file as the user named it; `cwd` is where that begins
 * @returns what was read, with every problem; no message holds a secret
 */
export function readNotifications(file: string, cwd: string): NotifyReading {
  const path = resolve(cwd, file);
  const whole = (fault: { code: string; message: string; remedy: string }): Problem => ({
    severity: "error",
    file,
    line: 0,
    column: 0,
    path: "",
    ...fault,
  });
  const text = readSecretFile(path);
  if ("fault" in text) return { problems: [whole(text.fault)] };
  const parsed = parseNotifyFile(file, text.text);
  if ("problems" in parsed) return { problems: parsed.problems };

  const problems: Problem[] = text.warnings.map((fault) => ({ ...whole(fault), severity: "warning" as const }));
  const receivers = parsed.settings.receivers.map((settings): OpenReceiver => {
    const secret = (field: string, name: string | undefined): string | undefined => {
      if (name === undefined) return undefined;
      const from = resolve(dirname(path), name);
      const read = readSecretFile(from);
      const at = { file, line: 0, column: 0, path: `receivers ${settings.name} ${field}` };
      const told = (fault: { code: string; message: string; remedy: string }, severity: "error" | "warning"): void =>
        void problems.push({ severity, ...at, code: fault.code, message: `${from} ${fault.message}`, remedy: fault.remedy });
      if ("fault" in read) {
        told(read.fault, "error");
        return undefined;
      }
      for (const warning of read.warnings) told(warning, "warning");
      const value = read.text.trim();
      if (/^[\u0021-\u007e]+$/.test(value)) return value;
      told({ code: "field-format", message: "holds no single word", remedy: "Write the secret alone into it, on one line." }, "error");
      return undefined;
    };
    const url = "text" in settings.url ? settings.url.text : secret("urlFile", settings.url.file);
    if (url !== undefined && !(URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)))
      problems.push({
        ...{ severity: "error", file, line: 0, column: 0, path: `receivers ${settings.name} urlFile`, code: "field-format" },
        ...{ message: "holds no URL of HTTP", remedy: "Write it as in https://hooks.example.org/services/…." },
      });
    const signingKey = secret("signingKeyFile", settings.signingKeyFile);
    const token = secret("tokenFile", settings.tokenFile);
    return {
      settings,
      target: {
        ...{ type: settings.type, url: url ?? "" },
        ...(signingKey === undefined ? {} : { signingKey }),
        ...(token === undefined ? {} : { token }),
      },
    };
  });
  if (problems.some(({ severity }) => severity === "error")) return { problems };
  return { opened: { windowMs: parsed.settings.windowMs, receivers }, problems };
}

/** @throws CommandError (exit 2) when the file cannot be used */
export function openNotifications(file: string, cwd: string, warn: (line: string) => void): OpenNotifications {
  const { opened, problems } = readNotifications(file, cwd);
  if (opened === undefined)
    throw new CommandError(2, ["--notify: nobody would be told of anything:", ...problems.map(formatProblem)].join("\n"));
  for (const problem of problems) warn(formatProblem(problem));
  return opened;
}
