/** The one error of the boundary to geo files. */

/**
 * `unreadable`: the operating system refused it. `not-mmdb`: no MaxMind DB metadata. `unsupported`: a version that is not ours to
 * read. `truncated`: shorter than its metadata says. `empty`: a search tree without nodes. `corrupt`: pointers out of range,
 * cycles, data that cannot be decoded. `too-large`: more networks than a table may hold.
 */
export type GeoFileCode = "unreadable" | "not-mmdb" | "unsupported" | "truncated" | "empty" | "corrupt" | "too-large";

const remedies: Readonly<Record<GeoFileCode, string>> = {
  unreadable: "Check the path and that this user may read the file",
  "not-mmdb": "Give an uncompressed MaxMind DB file (.mmdb)",
  unsupported: "Give a file in MaxMind DB format version 2",
  truncated: "Fetch the file again; the download was cut short",
  empty: "Fetch the file again; it holds no networks",
  corrupt: "Fetch the file again, or an older edition of it",
  "too-large": "Use a file with fewer networks, for example countries in place of cities",
};

/** A geo file that cannot be used. What was loaded before stays in use; saying so is up to the catcher. */
export class GeoFileError extends Error {
  readonly code: GeoFileCode;
  /** As the user named it. */
  readonly file: string;
  /** The next step. */
  readonly remedy: string;

  constructor(code: GeoFileCode, file: string, fact: string, cause?: unknown) {
    super(`${file}: ${fact}. ${remedies[code]}.`, cause === undefined ? undefined : { cause });
    this.name = "GeoFileError";
    this.code = code;
    this.file = file;
    this.remedy = remedies[code];
  }
}
