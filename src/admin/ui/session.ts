/** What the page remembers: the token until the tab is closed, and which theme was chosen. */

const TOKEN = "globalroute.token";
const THEME = "globalroute.theme";

export type Theme = "auto" | "light" | "dark";

/** A browser may forbid storage: then nothing is remembered. */
function attempt<T>(work: () => T, otherwise: T): T {
  try {
    return work();
  } catch {
    return otherwise;
  }
}

export const readToken = (): string | undefined => attempt(() => sessionStorage.getItem(TOKEN) ?? undefined, undefined);

export const writeToken = (token: string | undefined): void =>
  attempt(() => (token === undefined ? sessionStorage.removeItem(TOKEN) : sessionStorage.setItem(TOKEN, token)), undefined);

export function readTheme(): Theme {
  const theme = attempt(() => localStorage.getItem(THEME), null);
  return theme === "light" || theme === "dark" ? theme : "auto";
}

export function applyTheme(theme: Theme): void {
  if (theme === "auto") document.documentElement.removeAttribute("data-theme");
  else document.documentElement.setAttribute("data-theme", theme);
  attempt(() => (theme === "auto" ? localStorage.removeItem(THEME) : localStorage.setItem(THEME, theme)), undefined);
}
