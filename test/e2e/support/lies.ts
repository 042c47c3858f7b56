/**
 * Who runs a member cluster runs its API server too, and need not tell the truth: objects that a real server would never hold (times of creation
 * long ago, hosts with line feeds) are put into what it says on its way through the proxy.
 */
import type { KubeObject } from "../../../controller/kube/kube-object.ts";
import type { ApiProxy } from "./api-proxy.ts";

const LIE = "e2e.example.org/lie";

/** What the proxies say in place of an object's own spec and status, and of the time at which it was made. */
export type Lie = { readonly created?: string } & Pick<KubeObject, "spec" | "status">;

/** To be among an object's annotations. */
export const annotationOf = (lie: Lie): Readonly<Record<string, string>> => ({ [LIE]: JSON.stringify(lie) });

/** From now on this API server tells the lies that are written on its objects. */
export function tellLies(proxy: ApiProxy): void {
  proxy.rewrite(
    () => true,
    (line) => (line.includes(LIE) ? JSON.stringify(rewritten(JSON.parse(line))) : line),
  );
}

type Fields = Readonly<Record<string, unknown>>;
const fieldsOf = (value: unknown): Fields | undefined =>
  typeof value === "object" && value !== null && !Array.isArray(value) ? { ...value } : undefined;

/** An object, an event of a watch, or a list. */
function rewritten(value: unknown): unknown {
  const whole = fieldsOf(value);
  if (whole === undefined) return value;
  if (Array.isArray(whole.items)) return { ...whole, items: whole.items.map(rewritten) };
  if (whole.object !== undefined) return { ...whole, object: rewritten(whole.object) };
  const metadata = fieldsOf(whole.metadata);
  const { [LIE]: text, ...annotations } = fieldsOf(metadata?.annotations) ?? {};
  if (typeof text !== "string") return value;
  const { created = metadata?.creationTimestamp, ...lie } = fieldsOf(JSON.parse(text)) ?? {};
  return { ...whole, metadata: { ...metadata, annotations, creationTimestamp: created }, ...lie };
}
