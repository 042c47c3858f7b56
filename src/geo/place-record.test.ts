import fc from "fast-check";
import { expect, test } from "vitest";
import { type PlaceRecord, placeRecord } from "./place-record.ts";

const cases: readonly { name: string; record: unknown; place: PlaceRecord }[] = [
  {
    name: "MaxMind's nested shape",
    record: {
      continent: { code: "NA", names: { en: "North America" } },
      country: { iso_code: "US", geoname_id: 6252001 },
      subdivisions: [{ iso_code: "WA", names: { en: "Washington" } }],
      location: { latitude: 47.6062, longitude: -122.3321, time_zone: "America/Los_Angeles" },
      autonomous_system_number: 64500,
    },
    place: { continent: "NA", country: "US", subdivisions: ["US-WA"], asn: 64500, latitude: 47.6, longitude: -122.3 },
  },
  {
    name: "several subdivisions, finest last",
    record: { country: { iso_code: "GB" }, subdivisions: [{ iso_code: "ENG" }, { iso_code: "WSM" }] },
    place: { country: "GB", subdivisions: ["GB-ENG", "GB-WSM"] },
  },
  {
    name: "the flat shape; a state's name is not a code",
    record: { city: "Seattle", state1: "Washington", country_code: "us", latitude: 47.6, longitude: -122.3 },
    place: { country: "US", latitude: 47.6, longitude: -122.3 },
  },
  {
    name: "numbers as text",
    record: { latitude: "52.52", longitude: "-0.04", asn: "AS64500" },
    place: { asn: 64500, latitude: 52.5, longitude: 0 },
  },
  { name: "continent_code", record: { continent_code: "EU" }, place: { continent: "EU" } },
  { name: "half a position is none", record: { latitude: 52.5 }, place: {} },
  { name: "0° 0° means unknown", record: { country_code: "DE", latitude: 0, longitude: "0" }, place: { country: "DE" } },
  { name: "a position outside the Earth", record: { latitude: 91, longitude: 0 }, place: {} },
  { name: "empty text is no number", record: { latitude: "", longitude: " " }, place: {} },
  { name: "ZZ means unknown", record: { country_code: "ZZ" }, place: {} },
  { name: "a country's name is not a code", record: { country: "Germany" }, place: {} },
  { name: "an unknown continent", record: { continent: { code: "XX" } }, place: {} },
  { name: "subdivisions without a country", record: { subdivisions: [{ iso_code: "WA" }] }, place: {} },
  { name: "AS 0", record: { autonomous_system_number: 0 }, place: {} },
  { name: "an AS number beyond 32 bits", record: { asn: 4294967296 }, place: {} },
  { name: "no record", record: null, place: {} },
  { name: "a list", record: ["DE"], place: {} },
];

test.each(cases)("$name", ({ record, place }) => expect(placeRecord(record)).toEqual(place));

test("never throws, and holds latitude and longitude together or not at all", () => {
  const hostile = fc.dictionary(
    fc.constantFrom("country", "country_code", "continent", "location", "latitude", "longitude", "asn", "subdivisions"),
    fc.oneof(fc.anything(), fc.dictionary(fc.constantFrom("iso_code", "code", "latitude", "longitude"), fc.anything())),
  );
  fc.assert(
    fc.property(hostile, (record) => {
      const place = placeRecord(record);
      return (place.latitude === undefined) === (place.longitude === undefined) && (place.latitude ?? 0) <= 90;
    }),
  );
});
