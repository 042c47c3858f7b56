import type { Fault } from "./fault.ts";
import type { Kind, SpecOf } from "./kinds.ts";
import type { Problem } from "./problem.ts";

/** From the object's root: `["spec", "backends", 1, "cluster"]`. */
export type FieldPath = readonly (string | number)[];

export interface Position {
  readonly file: string;
  /** 1-based; 0 when there is no text to point into. */
  readonly line: number;
  readonly column: number;
}

/** Where a field stands in what the user wrote; the nearest thing around it when it is missing. `key` = the field's name, not its value. */
export type Locate = (path: FieldPath, part?: "key" | "value") => Position;

/** One object of the user's, checked by itself, with its defaults filled in. */
export interface ObjectOf<K extends Kind> {
  readonly kind: K;
  /** Empty for cluster-scoped kinds. */
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly spec: SpecOf<K>;
  readonly locate: Locate;
}

export type ManifestObject = { readonly [K in Kind]: ObjectOf<K> }[Kind];

/** An object that has errors of its own and was left out: others that refer to it are told so. */
export interface RejectedObject {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
}

/** `GlobalRoute default/shop` or `MemberCluster eu-west`. */
export const objectTitle = (object: RejectedObject): string =>
  `${object.kind} ${object.namespace === "" ? "" : `${object.namespace}/`}${object.name}`;

/** `spec.backends[1].cluster`; keys that are no plain words are quoted. */
export function formatPath(path: FieldPath): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (/^[A-Za-z0-9_-]+$/.test(step)) text += text === "" ? step : `.${step}`;
    else text += `[${JSON.stringify(step)}]`;
  }
  return text;
}

/** A fault with its place, for a field of an object. An error about the field's value unless told otherwise. */
export function problemAt(
  object: RejectedObject & { readonly locate: Locate },
  path: FieldPath,
  fault: Fault,
  how: { readonly severity?: Problem["severity"]; readonly part?: "key" | "value" } = {},
): Problem {
  const { file, line, column } = object.locate(path, how.part);
  const { code, message, remedy } = fault;
  return {
    severity: how.severity ?? "error",
    code,
    file,
    line,
    column,
    path: `${objectTitle(object)} ${formatPath(path)}`.trimEnd(),
    message,
    remedy,
  };
}
