/** Numbers, times and names as people read them. */

/** `12.3 %`, `0.4 %`, `< 0.1 %`; whole above ten. @param share 0..1 */
export function percent(share: number): string {
  if (share <= 0) return "0 %";
  if (share < 0.001) return "< 0.1 %";
  return `${share >= 0.1 || share * 1000 === Math.round(share * 100) * 10 ? Math.round(share * 100) : (share * 100).toFixed(1)} %`;
}

/** `0.4/s`, `12/s`, `3.4k/s`. */
export function rate(perSecond: number): string {
  if (perSecond >= 1_000_000) return `${(perSecond / 1_000_000).toFixed(1)}M/s`;
  if (perSecond >= 1000) return `${(perSecond / 1000).toFixed(1)}k/s`;
  return `${perSecond >= 10 || perSecond === 0 ? Math.round(perSecond) : perSecond.toFixed(1)}/s`;
}

/** `1.4 bn`, `83 M`, `12 k`. */
export function people(count: number): string {
  if (count >= 1e9) return `${(count / 1e9).toFixed(1)} bn`;
  if (count >= 1e6) return `${Math.round(count / 1e6)} M`;
  return count >= 1e3 ? `${Math.round(count / 1e3)} k` : `${count}`;
}

const pad = (value: number): string => String(value).padStart(2, "0");

/** `14:03:05` of the reader's own clock; with the day when that is another one than `now`'s. Milliseconds since the epoch. */
export function clockTime(at: number, now: number): string {
  const [date, today] = [new Date(at), new Date(now)];
  const time = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
  if (date.toDateString() === today.toDateString()) return time;
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${time}`;
}

/** `just now`, `42 s ago`, `3 min ago`, `5 h ago`, `2 d ago`. */
export function ago(at: number, now: number): string {
  const seconds = Math.max(0, Math.round((now - at) / 1000));
  if (seconds < 2) return "just now";
  if (seconds < 90) return `${seconds} s ago`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min ago`;
  return seconds < 129_600 ? `${Math.round(seconds / 3600)} h ago` : `${Math.round(seconds / 86_400)} d ago`;
}

/** `1 route`, `3 routes`. */
export const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? "" : "s"}`;

/** `a`, `a and b`, `a, b and 3 more`. */
export function list(names: readonly string[], most: number): string {
  if (names.length > most) return `${names.slice(0, most).join(", ")} and ${names.length - most} more`;
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
