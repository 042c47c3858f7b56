/** Fields that the hub's CustomResourceDefinitions do not know yet: a controller can be newer than they are. Pure. */

/**
 * Paths in a status, such as `backends.more`, that the API server says its schema lacks.
 *
 * @param message as of `.status.backends[name="eu"].more: field not declared in schema`
 */
export const undeclaredIn = (message: string): readonly string[] =>
  [...message.matchAll(/\.status\.(\S+?): field not declared in schema/g)].map(([, path = ""]) => path.replaceAll(/\[[^\]]*\]/g, ""));

/** A copy without the fields at these paths, in each entry of the lists on the way. */
export function withoutFields(value: unknown, paths: Iterable<string>): unknown {
  let left = value;
  for (const path of paths) left = withoutField(left, path.split("."));
  return left;
}

function withoutField(value: unknown, [name = "", ...rest]: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((entry: unknown) => withoutField(entry, [name, ...rest]));
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return value;
  const { [name]: field, ...others }: Readonly<Record<string, unknown>> = { ...value };
  return rest.length === 0 ? others : { ...others, [name]: withoutField(field, rest) };
}
