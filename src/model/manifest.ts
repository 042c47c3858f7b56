/** Files of YAML objects, read and checked one object at a time. */
import { checkObject } from "./check-object.ts";
import { type Fault, fault } from "./fault.ts";
import type { ManifestObject, Position, RejectedObject } from "./manifest-object.ts";
import { isForeign } from "./object-identity.ts";
import type { Problem } from "./problem.ts";
import { readYaml } from "./yaml-document.ts";

/** Larger files are refused before they are parsed. */
export const MAX_FILE_BYTES = 4 * 1024 * 1024;

export interface ManifestFile {
  /** As the user named the folder, for messages. */
  readonly path: string;
  readonly text: string;
}

/** What files hold. In the order of files and documents. */
export interface Manifests {
  readonly objects: readonly ManifestObject[];
  /** Objects that have errors; those that refer to them are told so. */
  readonly rejected: readonly RejectedObject[];
  readonly problems: readonly Problem[];
  /** Objects of other systems, as they were read; none unless they are passed over. */
  readonly foreign: readonly unknown[];
}

export interface ManifestOptions {
  /** Objects of other systems may lie between ours, as in what is applied to a cluster. They are a problem otherwise. */
  readonly passForeign?: boolean;
}

/**
 * Reads YAML files. Wrong objects are left out, right ones kept, and every problem of every object is reported with the place of the
 * exact node. Files are independent of each other: the result for many is that of {@link parseManifest} for each, one after the other.
 */
export function parseManifests(files: readonly ManifestFile[], options: ManifestOptions = {}): Manifests {
  const parts = files.map((file) => parseManifest(file, options));
  return {
    objects: parts.flatMap((part) => part.objects),
    rejected: parts.flatMap((part) => part.rejected),
    problems: parts.flatMap((part) => part.problems),
    foreign: parts.flatMap((part) => part.foreign),
  };
}

/** As {@link parseManifests}, for one file: its result can be kept for as long as its text stays the same. */
export function parseManifest({ path, text }: ManifestFile, { passForeign = false }: ManifestOptions = {}): Manifests {
  const bytes = byteLength(text);
  if (bytes > MAX_FILE_BYTES) return { objects: [], rejected: [], problems: [fileSizeProblem(path, bytes)], foreign: [] };
  const objects: ManifestObject[] = [];
  const rejected: RejectedObject[] = [];
  const problems: Problem[] = [];
  const foreign: unknown[] = [];
  for (const document of readYaml(path, text)) {
    problems.push(...document.faults.map(({ at, fault }) => yamlProblem(at, fault)));
    if (document.faults.length > 0 || document.value === null) continue;
    if (passForeign && isForeign(document.value)) {
      foreign.push(document.value);
      continue;
    }
    const checked = checkObject(document.value, document.locate);
    problems.push(...checked.problems);
    if (checked.object !== undefined) objects.push(checked.object);
    if (checked.rejected !== undefined) rejected.push(checked.rejected);
  }
  return { objects, rejected, problems, foreign };
}

const yamlProblem = (at: Position, fault: Fault): Problem => ({ severity: "error", ...at, path: "", ...fault });

/** For a file that is too large, so that whoever reads files can refuse it by its size on disk. */
export function fileSizeProblem(file: string, bytes: number): Problem {
  const message = `has ${(bytes / 1024 / 1024).toFixed(1)} MiB, and at most 4 MiB are read`;
  return yamlProblem({ file, line: 0, column: 0 }, fault("file-size", message, "Split it: any number of files and folders is read.").fault);
}

// Most texts are ASCII and far below the limit; only those that could exceed it are measured.
const byteLength = (text: string): number => (text.length * 3 <= MAX_FILE_BYTES ? text.length : new TextEncoder().encode(text).length);
