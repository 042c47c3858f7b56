/** Pages of lists: how many items a client asked for, and where one page ends. */
import { invalidInput } from "./api-error.ts";

/** @returns the number asked for, never more than `most`, even where more was asked for, as documented */
export function pageSize(
  query: URLSearchParams,
  name: "maxitems" | "maxresults",
  { usual, most }: { readonly usual: number; readonly most: number },
): number {
  const text = query.get(name);
  if (text === null || text === "") return usual;
  if (!/^\d{1,9}$/.test(text) || Number(text) === 0) throw invalidInput(`Invalid value '${text}' for ${name}`);
  return Math.min(Number(text), most);
}

export interface Page<T> {
  readonly items: readonly T[];
  /** First of the next page; undefined on the last. */
  readonly next: T | undefined;
}

/** @param start index of the first item; -1 means that there is none */
export function pageFrom<T>(all: readonly T[], start: number, size: number): Page<T> {
  const at = start === -1 ? all.length : start;
  return { items: all.slice(at, at + size), next: all[at + size] };
}
