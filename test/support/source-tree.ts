/** Reads the project's sources as text and finds what they import: the ground of the architecture test. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";

export interface Import {
  /** As written: `node:fs`, `zod`, `../model/ip.ts`. */
  readonly specifier: string;
  /** Repository path of a relative import (`src/model/ip.ts`), else undefined. */
  readonly file: string | undefined;
  /** `import type …` and `export type … from`: gone at run time. */
  readonly typeOnly: boolean;
  readonly line: number;
}

export interface SourceFile {
  /** Repository path with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly Import[];
}

/** Top of the repository. */
export const repository = join(dirname(fileURLToPath(import.meta.url)), "..", "..");

/** @returns repository paths of all files under those folders that exist, sorted; `node_modules` and build output are left out */
export function listFiles(folders: readonly string[]): readonly string[] {
  const found: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(repository, folder), { withFileTypes: true })) {
      const path = posix.join(folder, entry.name);
      if (entry.isDirectory()) {
        if (entry.name !== "node_modules" && entry.name !== "dist") walk(path);
      } else found.push(path);
    }
  };
  for (const folder of folders) if (existsSync(join(repository, folder))) walk(folder);
  return found.sort();
}

/** Parses one file's imports; `path` is its repository path. */
export function sourceFile(path: string, text: string): SourceFile {
  return { path, text, imports: findImports(path, text) };
}

export const readSource = (path: string): SourceFile => sourceFile(path, readFileSync(join(repository, path), "utf8"));

const TOKEN = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\[\s\S])*`/g;

const blank = (text: string): string => text.replace(/[^\n]/g, " ");

/** The text with comments blanked; line numbers stay. */
export const withoutComments = (text: string): string => text.replace(TOKEN, (token) => (token.startsWith("/") ? blank(token) : token));

/** The text with comments and plain strings blanked; a template literal stays, for it may hold code. */
export const codeOnly = (text: string): string => text.replace(TOKEN, (token) => (token.startsWith("`") ? token : blank(token)));

const STATEMENT =
  /^[ \t]*(?:import|export)\b([^"';]*?)\bfrom\s*["']([^"']+)["']|^[ \t]*import\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/gm;

function findImports(path: string, text: string): readonly Import[] {
  const code = withoutComments(text);
  return [...code.matchAll(STATEMENT)].map((match) => {
    const specifier = match[2] ?? match[3] ?? match[4] ?? "";
    return {
      specifier,
      file: specifier.startsWith(".") ? posix.join(posix.dirname(path), specifier) : undefined,
      typeOnly: match[2] !== undefined && isTypeOnly(match[1] ?? ""),
      line: code.slice(0, match.index + match[0].length).split("\n").length,
    };
  });
}

/** `type { A, B }`, or braces in which every name is marked `type` and nothing stands before them. */
function isTypeOnly(clause: string): boolean {
  const text = clause.trim();
  if (/^type\b/.test(text)) return true;
  const braces = /^\{([\s\S]*)\}$/.exec(text);
  const names = braces?.[1]?.split(",").map((name) => name.trim()) ?? [""];
  return braces !== null && names.every((name) => name === "" || name.startsWith("type "));
}
