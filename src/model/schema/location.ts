/** Where something is in the world, as objects say it. */
import { z } from "zod";
import { continents } from "../countries.ts";
import { celRules, countryCode, formed } from "./parts.ts";

const quoted = "Put it in quotes: coordinates are texts, so that no digit is lost.";

/** @param what is there, as part of a sentence */
export const location = (what: string) =>
  z
    .strictObject({
      cloud: formed(63, "^[a-z0-9-]+$", "the name of a cloud", "Write it in lower case, as in aws, gcp or azure.")
        .optional()
        .describe("The provider, as the region table names it: aws, gcp, azure and others. Goes with region."),
      region: formed(63, "^[a-z0-9-]+$", "the name of a region", "Write it as the provider does, as in eu-west-1.")
        .optional()
        .describe("The provider's name of the region."),
      latitude: formed(
        16,
        "^-?(90(\\.0+)?|[0-8]?[0-9](\\.[0-9]+)?)$",
        "a latitude",
        'Write degrees from -90 to 90 in quotes, as in "53.35".',
      )
        .optional()
        .meta({ remedy: quoted })
        .describe("Degrees north, from -90 to 90, in quotes. Goes with longitude."),
      longitude: formed(
        16,
        "^-?(180(\\.0+)?|(1[0-7][0-9]|[0-9]{1,2})(\\.[0-9]+)?)$",
        "a longitude",
        'Write degrees from -180 to 180 in quotes, as in "-6.26".',
      )
        .optional()
        .meta({ remedy: quoted })
        .describe("Degrees east, from -180 to 180, in quotes."),
      country: countryCode()
        .optional()
        .meta({ whenAbsent: "the region's", remedy: "Write a code of two capital letters, such as DE." })
        .describe("ISO 3166-1 alpha-2 code."),
      continent: z.enum(continents).optional().meta({ whenAbsent: "the region's" }).describe("Geographic continent."),
    })
    .meta(
      celRules(
        { rule: "has(self.cloud) == has(self.region)", message: "cloud and region go together: add the one that is missing" },
        { rule: "has(self.latitude) == has(self.longitude)", message: "latitude and longitude go together: add the one that is missing" },
        {
          rule: "has(self.cloud) != has(self.latitude)",
          message: "give either cloud and region, or latitude and longitude: remove one pair, or add one",
        },
      ),
    )
    .describe(`Where ${what} is: by cloud and region, or by coordinates.`);
