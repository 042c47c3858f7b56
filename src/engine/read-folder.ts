/**
 * The folder of YAML objects, read as a whole: `*.yaml` and `*.yml` at any depth, in a fixed order. What cannot be read is a problem
 * in the same words as a mistake in a file, and never hides the rest.
 */
import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileSizeProblem, MAX_FILE_BYTES } from "../model/manifest.ts";
import type { Problem } from "../model/problem.ts";
import type { ProblemCode } from "../model/problem-codes.ts";

export interface FolderFile {
  /** As the user named the folder, with the rest behind it. */
  readonly path: string;
  readonly text: string;
}

export interface FolderContent {
  /** Folder by folder, by name: the same content gives the same order on every machine. */
  readonly files: readonly FolderFile[];
  readonly problems: readonly Problem[];
}

export interface FolderLimits {
  readonly totalBytes: number;
  readonly files: number;
}

/** 10,000 routes with 20 backends each are about 30 MiB. */
export const FOLDER_LIMITS: FolderLimits = { totalBytes: 256 * 1024 * 1024, files: 10_000 };

/**
 * Reads a folder, or one file of any name. Names that begin with a dot are left out below it: editors' and git's own files, and
 * Kubernetes' `..data`, whose files are reached by the links beside it. A file or folder that is reached twice is read once.
 */
export async function readFolder(path: string, limits: FolderLimits = FOLDER_LIMITS): Promise<FolderContent> {
  const files: FolderFile[] = [];
  const problems: Problem[] = [];
  const seen = new Set<string>();
  let bytes = 0;
  let full = false;

  const visit = async (at: string, ancestors: readonly string[]): Promise<void> => {
    if (full) return;
    try {
      const [real, facts] = await Promise.all([realpath(at), stat(at)]);
      if (ancestors.includes(real)) {
        problems.push(
          problem(
            "warning",
            "link-loop",
            at,
            "is a symbolic link to a folder that it lies in",
            "Remove the link; what it points to is read anyway.",
          ),
        );
      } else if (!seen.has(real)) {
        seen.add(real);
        if (facts.isDirectory()) await visitFolder(at, [...ancestors, real]);
        else if (at === path || isManifestName(at)) await take(at, facts.isFile(), facts.size);
      }
    } catch (error) {
      problems.push(unreadable(at, error));
    }
  };

  const visitFolder = async (folder: string, ancestors: readonly string[]): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true });
    for (const { name } of entries.filter((entry) => isWanted(entry)).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      await visit(join(folder, name), ancestors);
    }
  };

  const take = async (at: string, isFile: boolean, size: number): Promise<void> => {
    if (!isFile) {
      problems.push(problem("error", "file-unreadable", at, "is no regular file", "Remove it, or name it otherwise than *.yaml."));
    } else if (size > MAX_FILE_BYTES) {
      problems.push(fileSizeProblem(at, size));
    } else if (files.length >= limits.files || bytes + size > limits.totalBytes) {
      full = true;
      const bound = `more than ${limits.files} files or ${limits.totalBytes} bytes`;
      problems.push(
        problem(
          "error",
          "folder-limit",
          path,
          `holds ${bound}; ${at} and what follows is not read`,
          "Name the folder that holds GlobalRoute's objects alone.",
        ),
      );
    } else {
      const content = await readFile(at);
      bytes += content.length;
      const text = decodeUtf8(content);
      if (text === undefined)
        problems.push(problem("error", "file-encoding", at, "is not UTF-8 text", "Save it as UTF-8, or remove it from the folder."));
      else files.push({ path: at, text });
    }
  };

  await visit(path, []);
  // Whoever emptied it by mistake would otherwise have an empty world served.
  if (!files.some(({ text }) => CONTENT.test(text)) && !problems.some(({ severity }) => severity === "error")) {
    const message = files.length === 0 ? "holds no *.yaml or *.yml file" : "holds no object, only comments";
    problems.push(problem("error", "folder-empty", path, message, "Write objects into it; examples/ has some to start from."));
  }
  return { files, problems };
}

/** A line of YAML that is neither blank nor a comment, a directive, the mark between documents, or a document of nothing. */
const CONTENT = /^(?!(?:---|\.\.\.|%.*|null|~)?[ \t\r]*(?:#.*)?$)/m;

const isManifestName = (name: string): boolean => /\.ya?ml$/.test(name);

/** A link may be either, and its name does not tell. */
function isWanted(entry: { readonly name: string; isDirectory(): boolean; isSymbolicLink(): boolean }): boolean {
  return !entry.name.startsWith(".") && (entry.isDirectory() || entry.isSymbolicLink() || isManifestName(entry.name));
}

/** @returns undefined when the bytes are not UTF-8; a byte order mark is dropped */
function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function problem(severity: Problem["severity"], code: ProblemCode, file: string, message: string, remedy: string): Problem {
  return { severity, code, file, line: 0, column: 0, path: "", message, remedy };
}

function unreadable(path: string, error: unknown): Problem {
  const system = error instanceof Error && "code" in error ? String(error.code) : "";
  switch (system) {
    case "ENOENT":
      return problem("error", "path-missing", path, "does not exist, or is a link to nothing", "Correct the path, or remove the link.");
    case "ELOOP":
      return problem("error", "path-missing", path, "is a symbolic link that leads back to itself", "Remove the link.");
    case "EACCES":
    case "EPERM":
      return problem(
        "error",
        "file-unreadable",
        path,
        "may not be read",
        "Let the user that runs GlobalRoute read it, or remove it from the folder.",
      );
    default:
      return problem(
        "error",
        "file-unreadable",
        path,
        `cannot be read (${error instanceof Error ? error.message : error})`,
        "Mend it, or remove it from the folder.",
      );
  }
}
