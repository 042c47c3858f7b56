/** Whether a status says the same as another. Pure. */

/**
 * True when both tell the same: `writerEpoch` tells who wrote, not what is; order does not matter where entries have a name or a type; an
 * empty list or mapping is as good as none.
 */
export function isSameStatus(a: unknown, b: unknown): boolean {
  return isSame(withoutEpoch(a), withoutEpoch(b));
}

function withoutEpoch(status: unknown): unknown {
  if (!isFields(status)) return status;
  const { writerEpoch: _, ...rest } = status;
  return rest;
}

function isSame(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (isEmpty(a) || isEmpty(b)) return isEmpty(a) && isEmpty(b);
  if (Array.isArray(a) || Array.isArray(b)) return Array.isArray(a) && Array.isArray(b) && isSameList(a, b);
  if (!isFields(a) || !isFields(b)) return false;
  for (const name in a) if (!isSame(a[name], b[name])) return false;
  for (const name in b) if (!(name in a) && !isEmpty(b[name])) return false;
  return true;
}

function isSameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  if (a.every((entry, i) => isSame(entry, b[i]))) return true;
  const byName = new Map(b.map((entry) => [nameOf(entry), entry]));
  if (byName.size !== b.length || byName.has(undefined)) return false;
  return a.every((entry) => byName.has(nameOf(entry)) && isSame(entry, byName.get(nameOf(entry))));
}

const nameOf = (entry: unknown): unknown => (isFields(entry) ? (entry.name ?? entry.type) : undefined);

const isFields = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function isEmpty(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  return value === undefined || value === null || (isFields(value) && Object.values(value).every(isEmpty));
}
