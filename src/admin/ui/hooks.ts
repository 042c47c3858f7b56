/** Hooks that several views use. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Live, LiveState } from "./live.ts";
import { parseHash, type View } from "./model/hash-route.ts";

/** Draws again whenever the state changes. */
export function useLive(live: Live): LiveState {
  const [state, setState] = useState(live.state);
  useEffect(() => live.subscribe(() => setState(live.state())), [live]);
  return state;
}

/** The view that the URL names. */
export function useView(): View {
  const [view, setView] = useState(() => parseHash(location.hash));
  useEffect(() => {
    const follow = () => setView(parseHash(location.hash));
    addEventListener("hashchange", follow);
    return () => removeEventListener("hashchange", follow);
  }, []);
  return view;
}

/** The time, anew every few seconds: for ages. */
export function useNow(every = 5000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}

export interface Loaded<T> {
  readonly value: T | undefined;
  readonly error: { readonly message: string; readonly remedy?: string } | undefined;
}

/** What `load` gives, whenever `key` changes; an older answer never replaces a newer one. @param key undefined = nothing is loaded */
export function useLoaded<T>(key: string | undefined, load: () => Promise<T>): Loaded<T> {
  const [loaded, setLoaded] = useState<Loaded<T> & { readonly of: string | undefined }>({
    of: undefined,
    value: undefined,
    error: undefined,
  });
  const newest = useRef(key);
  newest.current = key;
  useEffect(() => {
    if (key === undefined) return;
    load().then(
      (value) => newest.current === key && setLoaded({ of: key, value, error: undefined }),
      (error: unknown) => newest.current === key && setLoaded((before) => ({ ...before, of: key, error: toError(error) })),
    );
  }, [key]);
  if (key === undefined) return { value: undefined, error: undefined };
  return loaded;
}

export function toError(error: unknown): { readonly message: string; readonly remedy?: string } {
  if (!(error instanceof Error)) return { message: String(error) };
  return { message: error.message, ...("remedy" in error ? { remedy: String(error.remedy) } : {}) };
}
