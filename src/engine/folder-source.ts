/** The standalone source: a folder of objects, read again whenever it changes. */
import { createHash } from "node:crypto";
import { type FSWatcher, statSync, watch } from "node:fs";
import { fileStamp } from "../dns/secret-file.ts";
import { type FolderContent, readFolder } from "./read-folder.ts";
import type { Source, SourceFile, SourceReading } from "./source.ts";

/** Editors write in several steps; changes within this many milliseconds are one. */
const SETTLE = 100;
/** Events get lost (network file systems, replaced folders); everything is looked at this often anyway, milliseconds. */
const SWEEP = 5000;

/**
 * @param parse    text to inventory; rejects only when it could not be tried
 * @param setTimer calls back once after a delay in milliseconds; returns what cancels it
 * @param onError  the text could not be parsed for a reason that is not in it
 */
export function createFolderSource(
  path: string,
  parse: (content: FolderContent) => Promise<SourceReading>,
  setTimer: (delay: number, callback: () => void) => () => void,
  onError: (error: unknown) => void,
): Source {
  let seen = "";
  /** Of the last reading. The sweep looks at them; they may lie anywhere. */
  let dependsOn: readonly SourceFile[] = [];
  let watcher: FSWatcher | undefined;
  /** A watcher goes on watching the folder that it was given, wherever that is moved. */
  let watched: number | undefined;
  let cancelSettle = () => {};
  let cancelSweep = () => {};
  let closed = false;

  async function read(): Promise<FolderContent> {
    const content = await readFolder(path);
    seen = fingerprint(
      content,
      dependsOn.map((file) => fileStamp(file.path)),
    );
    return content;
  }

  /** Parses, and remembers what it saw of other files: whatever happens to them from then on is a change. */
  async function parseAndNote(content: FolderContent): Promise<SourceReading> {
    const reading = await parse(content);
    dependsOn = reading.dependsOn ?? [];
    seen = fingerprint(
      content,
      dependsOn.map(({ stamp }) => stamp),
    );
    return reading;
  }

  return {
    path,
    async read() {
      const content = await read();
      try {
        return await parseAndNote(content);
      } catch (error) {
        seen = ""; // looked at again by the first sweep
        throw error;
      }
    },
    watch(onChange) {
      if (closed) return;
      let checking = Promise.resolve();
      const check = (wasTold: boolean) => {
        checking = checking.then(async () => {
          if (closed) return;
          const before = seen;
          try {
            if (inodeOf(path) !== watched) rewatch();
            const content = await read();
            if (closed || seen === before) return;
            if (!wasTold) rewatch(); // the watcher is deaf: what it watches has been replaced
            const reading = await parseAndNote(content);
            if (!closed) onChange(reading);
          } catch (error) {
            if (closed) return;
            seen = before; // tried again at the next sweep
            onError(error);
          }
        });
      };
      const rewatch = () => {
        try {
          watcher?.close();
          watched = inodeOf(path);
          const opened = watch(path, { recursive: true }, () => {
            cancelSettle();
            cancelSettle = setTimer(SETTLE, () => check(true));
          });
          watcher = opened;
          opened.on("error", () => {
            opened.close();
            if (watcher === opened) watcher = undefined; // the sweep goes on
          });
        } catch {
          watcher = undefined; // the folder is gone for now; the sweep will see it return
        }
      };
      const sweep = () => {
        if (watcher === undefined) rewatch();
        check(false);
        cancelSweep = setTimer(SWEEP, sweep);
      };
      rewatch();
      cancelSweep = setTimer(SWEEP, sweep);
    },
    close() {
      closed = true;
      cancelSettle();
      cancelSweep();
      watcher?.close();
    },
  };
}

/** @returns undefined when there is none, or none that may be seen */
function inodeOf(path: string): number | undefined {
  try {
    return statSync(path).ino;
  } catch {
    return undefined;
  }
}

function fingerprint({ files, problems }: FolderContent, stamps: readonly string[]): string {
  const hash = createHash("sha256");
  for (const { path, text } of files) hash.update(`${path}\0${text.length}\0${text}`);
  hash.update(JSON.stringify([problems, stamps]));
  return hash.digest("hex");
}
