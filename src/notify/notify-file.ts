/** The file of `--notify`: who is told of what. Pure; secrets are read by whoever opens it. */
import { z } from "zod";
import { describeIssue } from "../model/describe-issue.ts";
import { parseDuration } from "../model/duration.ts";
import { type FieldPath, formatPath } from "../model/manifest-object.ts";
import type { Problem } from "../model/problem.ts";
import { readYaml } from "../model/yaml-document.ts";

/** What somebody may want to be told of. */
export const NOTICES = ["Failover", "FailOpen", "WithdrawalHeld", "DrillAborted", "ConfigRejected", "ProviderFailing", "Degraded"] as const;
export type Notice = (typeof NOTICES)[number];

export const RECEIVER_TYPES = ["Webhook", "Slack", "Alertmanager"] as const;
export type ReceiverType = (typeof RECEIVER_TYPES)[number];

const NAME = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const isHttp = (text: string): boolean => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);

const receiverSchema = z.strictObject({
  name: z
    .string()
    .regex(NAME)
    .meta({ description: "Names it in logs and metrics.", remedy: "Write small letters, digits and hyphens, at most 63." }),
  type: z.enum(RECEIVER_TYPES).meta({ description: "Webhook, Slack or Alertmanager." }),
  url: z
    .string()
    .min(1)
    .max(2048)
    .refine(isHttp)
    .optional()
    .meta({ description: "Where it is told. A secret, as whoever has it may write there." }),
  urlFile: z.string().min(1).max(4096).optional().meta({ description: "File that holds the URL." }),
  signingKeyFile: z.string().min(1).max(4096).optional().meta({ description: "Webhook: file with the key that requests are signed with." }),
  tokenFile: z.string().min(1).max(4096).optional().meta({ description: "File with a token that is sent as `Authorization: Bearer`." }),
  events: z
    .array(z.enum(NOTICES))
    .min(1)
    .max(NOTICES.length)
    .optional()
    .meta({ description: "What it is told of; everything if not given." }),
  routes: z
    .array(
      z
        .string()
        .regex(/^[a-z0-9.-]+\/([a-z0-9.-]+|\*)$/)
        .meta({ remedy: "Write NAMESPACE/NAME, or NAMESPACE/* for all of a namespace." }),
    )
    .min(1)
    .max(1000)
    .optional()
    .meta({ description: "Routes that it is told of, as NAMESPACE/NAME or NAMESPACE/*; all if not given." }),
});

const fileSchema = z.strictObject({
  window: z.string().optional().meta({
    description: "For so long what repeats is counted, not told; 5m if not given.",
    remedy: "Write a duration from 1s to 24h, such as 5m.",
  }),
  receivers: z.array(receiverSchema).min(1).max(20).meta({ description: "Who is told." }),
});

export interface ReceiverSettings {
  readonly name: string;
  readonly type: ReceiverType;
  readonly url: { readonly text: string } | { readonly file: string };
  readonly signingKeyFile?: string;
  readonly tokenFile?: string;
  readonly events: readonly Notice[];
  readonly routes?: readonly string[];
}

export interface NotifySettings {
  readonly windowMs: number;
  readonly receivers: readonly ReceiverSettings[];
}

const DEFAULT_WINDOW = 300_000;
const LONGEST_WINDOW = 86_400_000;
const DOCUMENT = "See docs/notifications.md for its form.";

/**
 * @param file path for messages
 * @returns settings, or every problem with its line; what a URL is stands in no message
 */
export function parseNotifyFile(
  file: string,
  text: string,
): { readonly settings: NotifySettings } | { readonly problems: readonly Problem[] } {
  const [document, ...more] = readYaml(file, text).filter(({ value, faults }) => faults.length > 0 || (value ?? null) !== null);
  const problem = (place: { line: number; column: number }, path: FieldPath, code: string, message: string, remedy: string): Problem => ({
    severity: "error",
    code,
    file,
    line: place.line,
    column: place.column,
    path: formatPath(path),
    message,
    remedy,
  });
  if (document === undefined)
    return { problems: [problem({ line: 0, column: 0 }, [], "field-missing", "is empty", `Write its receivers. ${DOCUMENT}`)] };
  if (document.faults.length > 0)
    return { problems: document.faults.map(({ at, fault }) => problem(at, [], fault.code, fault.message, fault.remedy)) };
  const second = more[0]?.locate([]);
  if (second !== undefined)
    return { problems: [problem(second, [], "field-unknown", "there is a second document", "Write all receivers in one document.")] };

  const parsed = fileSchema.safeParse(document.value);
  if (!parsed.success) {
    const faults = parsed.error.issues.flatMap((issue) => describeIssue(issue, fileSchema, document.value));
    return {
      problems: faults.map(({ path, part, fault }) =>
        path.at(-1) === "url" && fault.code !== "field-missing"
          ? problem(
              document.locate(path, part),
              path,
              fault.code,
              "is no URL of HTTP",
              "Write it as in https://hooks.example.org/services/….",
            )
          : problem(document.locate(path, part), path, fault.code, fault.message, fault.remedy),
      ),
    };
  }
  const { window, receivers } = parsed.data;
  const wrong: Problem[] = [];
  const refuse = (path: FieldPath, code: string, message: string, remedy: string): void =>
    void wrong.push(problem(document.locate(path, "key"), path, code, message, remedy));

  const duration = window === undefined ? { value: DEFAULT_WINDOW } : parseDuration(window);
  const windowMs = "value" in duration ? Number(duration.value) : 0;
  if (windowMs < 1000 || windowMs > LONGEST_WINDOW)
    refuse(["window"], "field-format", `${JSON.stringify(window)} is no duration from 1s to 24h`, "Write one, such as 5m.");
  receivers.forEach((receiver, i) => {
    const at = (field: string): FieldPath => ["receivers", i, field];
    if ((receiver.url === undefined) === (receiver.urlFile === undefined))
      refuse(["receivers", i], "field-missing", "has not exactly one of url and urlFile", "Write where it is told, once.");
    if (receiver.signingKeyFile !== undefined && receiver.type !== "Webhook")
      refuse(at("signingKeyFile"), "field-value", `is for receivers of type Webhook, and this is ${receiver.type}`, "Remove it.");
    if (receivers.findIndex(({ name }) => name === receiver.name) !== i)
      refuse(at("name"), "entry-duplicate", `${receiver.name} is the name of an earlier receiver too`, "Give each a name of its own.");
  });
  if (wrong.length > 0) return { problems: wrong };
  return {
    settings: {
      windowMs,
      receivers: receivers.map(({ name, type, url, urlFile, signingKeyFile, tokenFile, events, routes }) => ({
        ...{ name, type, events: events ?? NOTICES, url: url === undefined ? { file: urlFile ?? "" } : { text: url } },
        ...(signingKeyFile === undefined ? {} : { signingKeyFile }),
        ...(tokenFile === undefined ? {} : { tokenFile }),
        ...(routes === undefined ? {} : { routes }),
      })),
    },
  };
}
