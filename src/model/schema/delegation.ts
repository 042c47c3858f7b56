/** `delegation` of a `DNSZone`: its NS, glue and DS in the zone above. */
import { z } from "zod";
import { entryName } from "./parts.ts";

export const delegation = z
  .strictObject({
    parent: entryName().describe(
      "Name of the DNSZone above: its domain holds this one's. It is kept elsewhere; in a zone that is answered here, NS and DS are written among its records.",
    ),
    adopt: z
      .boolean()
      .default(false)
      .describe(
        "Whether a delegation that is there already, made by somebody else, becomes ours: its NS and glue, and its DS where this zone says which it wants.",
      ),
  })
  .optional()
  .meta({ whenAbsent: "the delegation is kept by hand" })
  .describe(
    "Keeps the delegation of this zone in the zone above: NS, glue, and DS when it is signed. Nothing changes before the name servers that would be named are seen to answer.",
  );
