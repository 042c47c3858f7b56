/** What is told about objects of ours, in the words of `globalroute validate`. */
import type { Kind } from "../../src/model/kinds.ts";
import type { Problem } from "../../src/model/problem.ts";
import type { HubObject } from "./hub-object.ts";
import type { BackendReport, ObjectReport } from "./reconciled.ts";

/** The API server bounds messages of conditions; ours are kept below that. */
const LONGEST_MESSAGE = 4000;

/** Reasons of `Accepted=False` by codes of errors, the weightiest first; with any other error it is `Invalid`. */
const REASONS: readonly (readonly [code: string, reason: string])[] = [
  ["override-namespace", "NamespaceNotAllowed"],
  ["host-not-allowed", "HostNotAllowed"],
  ["host-overlap", "HostTaken"],
  ["backend-missing", "NoBackends"],
  ["host-without-zone", "HostWithoutZone"],
];

export interface Judgement {
  readonly problems: readonly Problem[];
  /** Whether it is served as it is written. */
  readonly isAccepted: boolean;
  /** Present when a field has a value that this version does not know. */
  readonly unsupported?: string | undefined;
  readonly backends?: readonly BackendReport[];
  readonly policySource?: string | undefined;
}

/** @param identity kind, namespace and name; `raw` is absent when the object is not on the hub yet */
export function reportOn(
  identity: { readonly kind: Kind; readonly namespace: string; readonly name: string; readonly raw: HubObject<Kind>["raw"] | undefined },
  { problems, isAccepted, unsupported, backends = [], policySource }: Judgement,
): ObjectReport {
  const lost = problems.filter(({ code }) => code === "policy-not-expressible");
  const { uid = "", resourceVersion = "", generation = 0 } = identity.raw?.metadata ?? {};
  return {
    kind: identity.kind,
    namespace: identity.namespace,
    name: identity.name,
    uid,
    resourceVersion,
    generation,
    accepted: isAccepted ? accepted(problems) : refused(problems, unsupported),
    backends,
    ...(isAccepted && lost.length > 0 ? { notExpressible: describeProblems(lost) } : {}),
    ...(policySource === undefined ? {} : { policySource }),
  };
}

function accepted(problems: readonly Problem[]): ObjectReport["accepted"] {
  return { status: "True", reason: "Accepted", message: problems.length === 0 ? "" : describeProblems(problems) };
}

function refused(problems: readonly Problem[], unsupported: string | undefined): ObjectReport["accepted"] {
  if (unsupported !== undefined) return { status: "False", reason: "UnsupportedValue", message: unsupported.slice(0, LONGEST_MESSAGE) };
  const errors = problems.filter(({ severity }) => severity === "error");
  const shown = errors.length > 0 ? errors : problems;
  const known = REASONS.find(([code]) => shown.some((problem) => problem.code === code));
  const isInvalid = shown.some((problem) => REASONS.every(([code]) => problem.code !== code));
  return { status: "False", reason: isInvalid || known === undefined ? "Invalid" : known[1], message: describeProblems(shown) };
}

/** As `globalroute validate` prints them, but for the name of the object, which is known where this is read. */
export function describeProblems(problems: readonly Problem[]): string {
  let text = "";
  for (const [i, { path, message, remedy, code }] of problems.entries()) {
    const field = path.replace(/^\S+ \S+ ?/, "");
    const line = `${field === "" ? "" : `${field}: `}${message}. ${remedy} [${code}]`;
    if (text.length + line.length > LONGEST_MESSAGE) return `${text} And ${problems.length - i} more: globalroute validate shows them.`;
    text += text === "" ? line : ` ${line}`;
  }
  return text;
}

export function sameReport(a: ObjectReport, b: ObjectReport | undefined): boolean {
  if (a === b) return true;
  return (
    b !== undefined &&
    a.kind === b.kind &&
    a.namespace === b.namespace &&
    a.name === b.name &&
    a.uid === b.uid &&
    a.resourceVersion === b.resourceVersion &&
    a.generation === b.generation &&
    a.policySource === b.policySource &&
    a.notExpressible === b.notExpressible &&
    a.accepted.status === b.accepted.status &&
    a.accepted.reason === b.accepted.reason &&
    a.accepted.message === b.accepted.message &&
    (a.backends === b.backends || JSON.stringify(a.backends) === JSON.stringify(b.backends))
  );
}
