/** All namespaces together. A list in which nothing has changed is the very same as before. */
import { createJoined } from "./by-namespace.ts";
import type { NamespacePart } from "./namespace-part.ts";

type Lists = Pick<NamespacePart, "served" | "hosts" | "reports" | "forsaken" | "generated" | "problems" | "warnings" | "drains">;

/** Sorted by namespace, and each namespace's as they are. */
export function createJoinedParts(): (parts: readonly NamespacePart[]) => Lists {
  const join = {
    served: createJoined<Lists["served"][number]>(),
    hosts: createJoined<Lists["hosts"][number]>(),
    reports: createJoined<Lists["reports"][number]>(),
    forsaken: createJoined<Lists["forsaken"][number]>(),
    generated: createJoined<Lists["generated"][number]>(),
    problems: createJoined<Lists["problems"][number]>(),
    warnings: createJoined<Lists["warnings"][number]>(),
    drains: createJoined<Lists["drains"][number]>(),
  };
  return (parts) => ({
    served: join.served(parts.map(({ served }) => served)),
    hosts: join.hosts(parts.map(({ hosts }) => hosts)),
    reports: join.reports(parts.map(({ reports }) => reports)),
    forsaken: join.forsaken(parts.map(({ forsaken }) => forsaken)),
    generated: join.generated(parts.map(({ generated }) => generated)),
    problems: join.problems(parts.map(({ problems }) => problems)),
    warnings: join.warnings(parts.map(({ warnings }) => warnings)),
    drains: join.drains(parts.map(({ drains }) => drains)),
  });
}
