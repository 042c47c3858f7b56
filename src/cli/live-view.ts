/** Draws frames over one another on a terminal, and puts the terminal back as it was, whatever happens. */

/** What the view needs of a terminal: of `process.stdin`, of `process.stdout`, and word of the process's end. */
export interface Terminal {
  readonly input: {
    setRawMode(raw: boolean): unknown;
    resume(): unknown;
    pause(): unknown;
    on(event: "data", listener: (key: Buffer | string) => void): unknown;
    off(event: "data", listener: (key: Buffer | string) => void): unknown;
  };
  readonly output: {
    readonly columns: number;
    readonly rows: number;
    write(text: string): unknown;
    on(event: "resize", listener: () => void): unknown;
    off(event: "resize", listener: () => void): unknown;
  };
  /** Calls back when the process ends, also by an uncaught error before its message is printed. @returns a function that calls it off */
  readonly onEnd: (restore: () => void) => () => void;
}

export interface LiveView {
  redraw(): void;
  close(): void;
}

const ENTER = "\u001b[?1049h\u001b[?25l"; // the other screen, without a cursor
const LEAVE = "\u001b[?25h\u001b[?1049l";
const CTRL_C = "\u0003";
const UNKNOWN_SIZE = { columns: 80, rows: 24 }; // a terminal that nobody has told its size reports 0 by 0

/**
 * Takes the terminal over.
 *
 * @param draw   the frame for a size, at most `height` lines
 * @param onKey  called with every other key, as the terminal sends it
 * @param onQuit called when `q` or Ctrl-C is pressed: the terminal is in raw mode, where Ctrl-C is a key like any other
 */
export function openLiveView(
  terminal: Terminal,
  draw: (width: number, height: number) => readonly string[],
  onQuit: () => void,
  onKey: (key: string) => void = () => {},
): LiveView {
  const { input, output } = terminal;
  let open = true;

  const redraw = (): void => {
    if (!open) return;
    const lines = draw(output.columns || UNKNOWN_SIZE.columns, output.rows || UNKNOWN_SIZE.rows);
    output.write(`\u001b[H${lines.map((line) => `${line}\u001b[K`).join("\r\n")}\u001b[J`);
  };
  const heard = (key: Buffer | string): void => {
    const text = key.toString();
    if (text === "q" || text === CTRL_C) onQuit();
    else onKey(text);
  };
  const close = (): void => {
    if (!open) return;
    open = false;
    forget();
    input.off("data", heard);
    output.off("resize", redraw);
    input.setRawMode(false);
    input.pause();
    output.write(LEAVE);
  };
  const forget = terminal.onEnd(close);

  output.write(ENTER);
  input.setRawMode(true);
  input.resume();
  input.on("data", heard);
  output.on("resize", redraw);
  redraw();
  return { redraw, close };
}

/** The process's own terminal, or undefined when it has none. */
export function ownTerminal(): Terminal | undefined {
  if (!process.stdin.isTTY || !process.stdout.isTTY) return undefined;
  return {
    input: process.stdin,
    output: process.stdout,
    onEnd(restore) {
      process.on("exit", restore);
      process.on("uncaughtExceptionMonitor", restore); // runs before the error is printed, so that it lands on the right screen
      return () => process.off("exit", restore).off("uncaughtExceptionMonitor", restore);
    },
  };
}
