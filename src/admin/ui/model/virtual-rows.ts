/** Which rows of a long list are drawn: those in sight and some around them. */

export interface RowWindow {
  /** First row that is drawn, and the one behind the last. */
  readonly first: number;
  readonly end: number;
  /** Room in pixels for those that are not. */
  readonly before: number;
  readonly after: number;
}

const AROUND = 8;

/** @param height of a row, pixels */
export function rowWindow(rows: number, height: number, scrollTop: number, viewHeight: number): RowWindow {
  const first = Math.max(0, Math.min(rows, Math.floor(scrollTop / height)) - AROUND);
  const end = Math.min(rows, Math.ceil((scrollTop + viewHeight) / height) + AROUND);
  return { first, end: Math.max(first, end), before: first * height, after: (rows - Math.max(first, end)) * height };
}
