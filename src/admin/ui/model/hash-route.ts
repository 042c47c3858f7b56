/** Which view is shown, as the part of the URL behind `#`. It can be linked to; it never holds a secret. */

export type View =
  | { readonly name: "map" }
  | { readonly name: "routes" }
  | { readonly name: "route"; readonly key: string }
  | { readonly name: "clusters" }
  | { readonly name: "proxies" }
  | { readonly name: "timeline" };

/** @param hash with or without `#`; what is unknown is the map */
export function parseHash(hash: string): View {
  const [first = "", ...rest] = hash
    .replace(/^#?\/?/, "")
    .split("/")
    .map(decode);
  if (first === "routes" && rest.length === 2) return { name: "route", key: rest.join("/") };
  if (first === "routes" || first === "clusters" || first === "proxies" || first === "timeline") return { name: first };
  return { name: "map" };
}

export function formatHash(view: View): string {
  if (view.name !== "route") return `#/${view.name}`;
  return `#/routes/${view.key.split("/").map(encodeURIComponent).join("/")}`;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part; // somebody typed a lone %
  }
}
