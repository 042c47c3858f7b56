/** Who is answered with which backend, as far as it was heard: a return can be seen there, and nowhere else for sure. */
import type { RouteKey } from "../model/inventory.ts";

/** A backend's addresses of one family, as somebody answers them. `via` as in events: `zone DOMAIN`, `resolver ADDRESS`. */
export interface Hearing {
  readonly route: RouteKey;
  readonly backend: string;
  readonly family: 4 | 6;
  readonly via: string;
}

export interface Concerned {
  heard(hearing: Hearing): void;
  has(hearing: Hearing): boolean;
  forget(hearing: Hearing): void;
  /** Forgets all other routes. */
  keepOnly(routes: ReadonlySet<RouteKey>): void;
}

/** @param most to remember; beyond it the one that was not heard for longest goes */
export function createConcerned(most = 10_000): Concerned {
  const routes = new Map<string, RouteKey>();
  const keyOf = ({ route, backend, family, via }: Hearing): string => `${route} ${backend}/${family} ${via}`;
  return {
    heard(hearing) {
      const key = keyOf(hearing);
      routes.delete(key);
      routes.set(key, hearing.route);
      if (routes.size > most) routes.delete(routes.keys().next().value!);
    },
    has: (hearing) => routes.has(keyOf(hearing)),
    forget: (hearing) => void routes.delete(keyOf(hearing)),
    keepOnly(kept) {
      for (const [key, route] of routes) if (!kept.has(route)) routes.delete(key);
    },
  };
}
