/** A program with a fault: what a test notices, it can judge. Nothing on disk changes. */

export interface PlantedFault {
  /** Path in the repository. */
  readonly file: string;
  /** Stands in the file exactly once, else the program does not start. */
  readonly text: string;
  readonly becomes: string;
}

/** Script for `preload`: the process loads these files with their faults. */
export const plant = (...faults: readonly PlantedFault[]): string => `import { registerHooks } from "node:module";
const faults = ${JSON.stringify(faults)};
registerHooks({
  load(url, context, next) {
    const loaded = next(url, context);
    const fault = faults.find(({ file }) => url.endsWith("/" + file));
    if (fault === undefined) return loaded;
    const parts = String(loaded.source).split(fault.text);
    if (parts.length !== 2) throw new Error(fault.file + " must hold this text once: " + fault.text);
    return { ...loaded, source: parts.join(fault.becomes) };
  },
});`;
