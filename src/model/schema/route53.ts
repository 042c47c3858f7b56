/** `spec.provider.route53` of a `DNSZone`: a hosted zone of Amazon Route 53. */
import { z } from "zod";
import { adoptFrom } from "./adopt-from.ts";
import { formed } from "./parts.ts";

export const route53 = z
  .strictObject({
    hostedZoneId: formed(32, "^[A-Z0-9]+$", "an id of a hosted zone", "Write it as in Z0123456789ABCDEFGHIJ, without /hostedzone/.")
      .optional()
      .meta({ whenAbsent: "the account's only zone of that domain" })
      .describe("Which hosted zone of the account."),
    visibility: z
      .enum(["Public", "Private"])
      .default("Public")
      .describe(
        "Public: a zone of the internet. Private: one of networks (VPCs); where there are both of one domain, this tells them apart.",
      ),
    role: z
      .strictObject({
        arn: formed(
          2048,
          "^arn:[a-z0-9-]+:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$",
          "the ARN of a role",
          "Write it as in arn:aws:iam::123456789012:role/globalroute.",
        ).describe("The role, in the account of the zone."),
        externalId: formed(1224, "^[A-Za-z0-9+=,.@:/-]{2,}$", "an external id", "Write the id that the role's trust policy asks for.")
          .optional()
          .meta({ whenAbsent: "none is sent" })
          .describe("What the role's trust policy asks for besides, where others assume it on your behalf."),
      })
      .optional()
      .meta({ whenAbsent: "the credentials of the process are used as they are" })
      .describe("A role that the process assumes, as for a zone in another account."),
    adoptFrom,
  })
  .describe(
    "A hosted zone of Amazon Route 53. Credentials are those that AWS gives the process (a role of its Pod or machine, environment, shared files).",
  );
