/** The load that an endpoint tells of itself in a response that passes through (`health/probes/orca.ts`). */
import { applicationUtilization } from "../../../../health/probes/orca.ts";
import { FieldKind } from "../http1/field-kind.ts";
import { type Fields, valueEndOf, valueStartOf } from "../http1/fields.ts";

/** Share of capacity in use, 1 = full. @returns undefined when the head does not tell it: no string is made then */
export function reportedLoad(fields: Fields, bytes: Buffer): number | undefined {
  for (let field = 0; field < fields.count; field++) {
    if (fields.kinds[field] !== FieldKind.LoadReport) continue;
    const load = applicationUtilization(bytes.toString("latin1", valueStartOf(fields, field), valueEndOf(fields, field)));
    if (load !== undefined) return load;
  }
  return undefined;
}
