import { EventEmitter } from "node:events";

/** A terminal that remembers its screen, its mode and who wants to know of the end. */
export function fakeTerminal(columns = 80, rows = 24) {
  const written: string[] = [];
  const raw: boolean[] = [];
  const ends = new Set<() => void>();
  const input = Object.assign(new EventEmitter(), {
    setRawMode: (mode: boolean) => raw.push(mode),
    resume: () => {},
    pause: () => {},
  });
  const output = Object.assign(new EventEmitter(), {
    columns,
    rows,
    write: (text: string) => {
      written.push(text);
      return true;
    },
  });
  const terminal = {
    input,
    output,
    onEnd(restore: () => void) {
      ends.add(restore);
      return () => ends.delete(restore);
    },
  };
  return { terminal, input, output, written, raw, ends };
}
