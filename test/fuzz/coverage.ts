/** Which code of ours a run reached, by V8's own counters: Node runs the sources as they are, so byte offsets are theirs. */
import { readFileSync } from "node:fs";
import { Session } from "node:inspector/promises";
import { fileURLToPath } from "node:url";

export interface Uncovered {
  /** `path:line` of its first line. */
  readonly where: string;
  /** The code that never ran. */
  readonly code: string;
}

export interface Coverage {
  /** Ends the measuring. @returns every block of these files that never ran, within functions that are named in `files` */
  readonly stop: (files: ReadonlyMap<string, readonly string[]>) => Promise<readonly Uncovered[]>;
}

/** Counts every block of everything that runs from now on. */
export async function startCoverage(): Promise<Coverage> {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  return {
    async stop(files) {
      const { result } = await session.post("Profiler.takePreciseCoverage");
      await session.post("Profiler.stopPreciseCoverage");
      session.disconnect();
      return [...files].flatMap(([path, functions]) => {
        const script = result.find(({ url }) => url.startsWith("file:") && fileURLToPath(url).endsWith(`/${path}`));
        if (script === undefined) return [{ where: path, code: "the whole file" }];
        const text = readFileSync(fileURLToPath(script.url), "utf8");
        return functions.flatMap((name) => {
          const found = script.functions.find(({ functionName }) => functionName === name);
          if (found === undefined) return [{ where: path, code: `there is no function ${name}, or it never ran` }];
          return found.ranges
            .filter(({ count }) => count === 0)
            .map(({ startOffset, endOffset }) => ({
              where: `${path}:${text.slice(0, startOffset).split("\n").length + (text[startOffset] === "\n" ? 1 : 0)}`,
              code: text.slice(startOffset, endOffset).trim(),
            }))
            .filter(({ code }) => code !== "" && code !== "}");
        });
      });
    },
  };
}
