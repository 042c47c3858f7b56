/** Names of objects as keys. Thousands of objects stay the same from pass to pass, and making a text and hashing it is dearer than finding it. */
import { programmedKey } from "../../src/engine/source.ts";
import { type RouteKey, routeKey } from "../../src/model/inventory.ts";
import type { Kind } from "../../src/model/kinds.ts";

function remembered<T extends object>(make: (of: T) => string): (of: T) => string {
  const known = new WeakMap<T, string>();
  return (of) => {
    const before = known.get(of);
    if (before !== undefined) return before;
    const made = make(of);
    known.set(of, made);
    return made;
  };
}

/** {@link routeKey} of anything that has the namespace and the name of a route, and never gets others. */
export const keyOfRoute: (of: { readonly namespace: string; readonly name: string }) => RouteKey = remembered(routeKey);

/** {@link routeKey} of an object of the API. */
export const keyOfObject: (of: { readonly metadata: { readonly namespace?: string; readonly name: string } }) => RouteKey = remembered(
  ({ metadata: { namespace = "", name } }) => routeKey({ namespace, name }),
);

/** {@link programmedKey}. */
export const keyOfProgrammed: (of: { readonly kind: Kind; readonly namespace: string; readonly name: string }) => string = remembered(
  ({ kind, namespace, name }) => programmedKey(kind, namespace, name),
);
