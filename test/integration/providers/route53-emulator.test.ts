/**
 * The emulator of Route 53 as AWS's own clients see it: botocore and the SDK for JavaScript sign, encode, decode, page, wait and retry, and have no
 * word of ours in them.
 */
import {
  type ChangeAction,
  ChangeResourceRecordSetsCommand,
  CreateCidrCollectionCommand,
  CreateHealthCheckCommand,
  CreateHostedZoneCommand,
  DeleteHostedZoneCommand,
  GetChangeCommand,
  GetHostedZoneCommand,
  InvalidChangeBatch,
  ListResourceRecordSetsCommand,
  type ListResourceRecordSetsCommandInput,
  NoSuchHostedZone,
  type ResourceRecordSet,
  Route53Client,
  Route53ServiceException,
  waitUntilResourceRecordSetsChanged,
} from "@aws-sdk/client-route-53";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { requireComponent } from "../../support/component.ts";
import { type Answered, type Boto, type SetAnswer, startBoto } from "../../support/providers/route53/boto.ts";
import { type Moto, startMoto } from "../../support/providers/route53/moto.ts";
import {
  endpoint,
  grouped,
  LOAD_BALANCER,
  PUBLIC_ADDRESS,
  plain,
  REFUSED_CHECKS,
  REFUSED_SETS,
  values,
} from "../../support/providers/route53/samples.ts";
import { EMULATOR_CREDENTIAL, type Route53Emulator, startRoute53Emulator } from "../../support/providers/route53/server.ts";

const ROLE = { arn: "arn:aws:iam::123456789012:role/dns-writer", externalId: "prod-eu", webIdentityToken: "a.token.of-the-cluster" };

describe.skipIf(!requireComponent("aws-python", "aws-python"))("the emulator of Route 53, by botocore", { timeout: 180_000 }, () => {
  let emulator: Route53Emulator;
  let boto: Boto;
  let zoneId: string;
  let time = 1_800_000_000_000;
  let reference = 0;

  beforeAll(async () => {
    emulator = await startRoute53Emulator({ wallClock: () => time, roles: [ROLE], quotas: { healthChecks: 12, recordSetsPerZone: 1500 } });
    boto = startBoto({ url: emulator.url });
  });
  afterAll(async () => {
    await boto?.stop();
    await emulator?.close();
  });
  beforeEach(() => {
    zoneId = emulator.addZone("example.org");
    emulator.forget();
  });
  afterEach(() => {
    emulator.clearFaults();
    Object.assign(emulator.knobs, {
      ...{ isThrottling: false, propagationMilliseconds: 0, processingMilliseconds: 0, isTokenExpired: false, deniedActions: [] },
      invalidChangeBatchForm: "ErrorResponse",
    });
    time += 3_600_000;
  });

  const batch = (changes: readonly (readonly [action: string, set: object])[], id = zoneId) => ({
    HostedZoneId: id,
    ChangeBatch: { Changes: changes.map(([Action, ResourceRecordSet]) => ({ Action, ResourceRecordSet })) },
  });
  const change = (...changes: readonly (readonly [action: string, set: object])[]): Promise<Answered> =>
    boto.call("change_resource_record_sets", batch(changes));
  const refused = (...changes: readonly (readonly [action: string, set: object])[]) =>
    boto.refusal("change_resource_record_sets", batch(changes));
  const create = (...sets: readonly object[]): Promise<Answered> => change(...sets.map((set) => ["CREATE", set] as const));
  /** Without those of the apex. */
  const list = async (id = zoneId): Promise<readonly SetAnswer[]> => {
    const pages = await boto.pages("list_resource_record_sets", { HostedZoneId: id });
    return pages.flatMap((page) => page.ResourceRecordSets).filter((set) => set.Type !== "SOA" && set.Type !== "NS");
  };
  const nextReference = (): string => `reference ${++reference}`;
  const healthCheck = async (config: object = endpoint()): Promise<string> =>
    (await boto.call("create_health_check", { CallerReference: nextReference(), HealthCheckConfig: config })).HealthCheck.Id;

  describe("hosted zones", () => {
    test("a public zone begins with its SOA and NS and four name servers", async () => {
      const made = await boto.call("create_hosted_zone", {
        Name: "Shop.Example.COM",
        CallerReference: nextReference(),
        HostedZoneConfig: { Comment: "of the shop" },
      });
      expect(made).toMatchObject({
        HostedZone: { Name: "shop.example.com.", Config: { Comment: "of the shop", PrivateZone: false }, ResourceRecordSetCount: 2 },
        ChangeInfo: { Status: "PENDING" },
        Location: expect.stringContaining("/2013-04-01/hostedzone/Z"),
      });
      const Id = made.HostedZone.Id;
      expect(Id).toMatch(/^\/hostedzone\/Z/);
      expect((await boto.call("get_hosted_zone", { Id })).DelegationSet.NameServers).toEqual(made.DelegationSet.NameServers);
      const { ResourceRecordSets: sets } = await boto.call("list_resource_record_sets", { HostedZoneId: Id });
      expect(sets.map((set) => [set.Type, set.TTL])).toEqual([
        ["NS", 172_800],
        ["SOA", 900],
      ]);
      expect(sets[0]!.ResourceRecords).toEqual(values(...made.DelegationSet.NameServers.map((server) => `${server}.`)));
      expect(await boto.call("delete_hosted_zone", { Id })).toMatchObject({ ChangeInfo: { Status: "PENDING" } });
      expect(await boto.refusal("get_hosted_zone", { Id })).toMatchObject({ code: "NoSuchHostedZone", status: 404 });
    });

    test("a private zone may share a public one's name, and one VPC sees no two of a name", async () => {
      const parameters = {
        Name: "example.org",
        VPC: { VPCRegion: "eu-central-1", VPCId: "vpc-0123456789abcdef0" },
        HostedZoneConfig: { PrivateZone: true },
      };
      const made = await boto.call("create_hosted_zone", { ...parameters, CallerReference: nextReference() });
      expect(made).toMatchObject({
        HostedZone: { Name: "example.org.", Config: { PrivateZone: true } },
        VPC: { VPCRegion: "eu-central-1" },
      });
      expect(await boto.call("get_hosted_zone", { Id: made.HostedZone.Id })).toMatchObject({ VPCs: [{ VPCId: "vpc-0123456789abcdef0" }] });
      expect(await boto.refusal("create_hosted_zone", { ...parameters, CallerReference: nextReference() })).toMatchObject({
        code: "ConflictingDomainExists",
      });
      const { HostedZone: other } = await boto.call("create_hosted_zone", {
        ...parameters,
        Name: "example.net",
        CallerReference: nextReference(),
      });
      await boto.call("delete_hosted_zone", { Id: other.Id });
      const found = await boto.call("list_hosted_zones_by_name", { DNSName: "example.org" });
      expect(new Set(found.HostedZones.filter((zone) => zone.Name === "example.org.").map((zone) => zone.Config.PrivateZone))).toEqual(
        new Set([true, false]),
      );
      expect((await boto.call("list_hosted_zones", { HostedZoneType: "PrivateHostedZone" })).HostedZones).toHaveLength(1);
      expect(
        await boto.refusal("create_hosted_zone", {
          Name: "example.org",
          CallerReference: nextReference(),
          HostedZoneConfig: { PrivateZone: true },
        }),
      ).toMatchObject({ code: "InvalidInput" });
    });

    test("what is refused of a zone", async () => {
      const CallerReference = nextReference();
      await boto.call("create_hosted_zone", { Name: "example.net", CallerReference });
      expect(await boto.refusal("create_hosted_zone", { Name: "example.net", CallerReference })).toMatchObject({
        code: "HostedZoneAlreadyExists",
        status: 409,
      });
      expect(await boto.refusal("create_hosted_zone", { Name: "org", CallerReference: nextReference() })).toMatchObject({
        code: "InvalidDomainName",
        status: 400,
      });
      expect(await boto.refusal("create_hosted_zone", { Name: "a..org", CallerReference: nextReference() })).toMatchObject({
        code: "InvalidDomainName",
      });
      await create(plain("www.example.org", ["192.0.2.1"]));
      expect(await boto.refusal("delete_hosted_zone", { Id: zoneId })).toMatchObject({ code: "HostedZoneNotEmpty", status: 400 });
      for (const operation of ["list_resource_record_sets", "get_hosted_zone_limit"]) {
        const more = operation === "get_hosted_zone_limit" ? { Type: "MAX_RRSETS_BY_ZONE" } : {};
        expect(await boto.refusal(operation, { HostedZoneId: "Z0NOWHERE", ...more })).toMatchObject({
          code: "NoSuchHostedZone",
          status: 404,
        });
      }
    });

    test("lists page, by order of creation and by reversed name", async () => {
      for (const name of ["b.example.test", "a.example.test", "example.test"]) emulator.addZone(name);
      const names = (pages: readonly Answered[]): readonly string[] => pages.flatMap((page) => page.HostedZones).map((zone) => zone.Name);
      const all = names(await boto.pages("list_hosted_zones", { PaginationConfig: { PageSize: 2 } }));
      expect(all.slice(-3)).toEqual(["b.example.test.", "a.example.test.", "example.test."]);
      const first = await boto.call("list_hosted_zones_by_name", { DNSName: "example.test", MaxItems: "2" });
      expect(names([first])).toEqual(["example.test.", "a.example.test."]);
      expect(first).toMatchObject({ IsTruncated: true, NextDNSName: "b.example.test.", MaxItems: "2" });
      const second = await boto.call("list_hosted_zones_by_name", { DNSName: first.NextDNSName, HostedZoneId: first.NextHostedZoneId });
      expect(second).toMatchObject({ IsTruncated: false, HostedZones: [{ Name: "b.example.test." }] });
    });

    test("limits tell what there is and what there may be", async () => {
      await create(plain("www.example.org", ["192.0.2.1"]));
      expect(await boto.call("get_hosted_zone_limit", { HostedZoneId: zoneId, Type: "MAX_RRSETS_BY_ZONE" })).toEqual({
        Limit: { Type: "MAX_RRSETS_BY_ZONE", Value: 1500 },
        Count: 3,
      });
      expect(await boto.refusal("get_hosted_zone_limit", { HostedZoneId: zoneId, Type: "MAX_VPCS_ASSOCIATED_BY_ZONE" })).toMatchObject({
        code: "HostedZoneNotPrivate",
      });
      expect(await boto.call("get_account_limit", { Type: "MAX_HEALTH_CHECKS_BY_OWNER" })).toMatchObject({ Limit: { Value: 12 } });
      const { HostedZoneCount } = await boto.call("get_hosted_zone_count");
      expect(await boto.call("get_account_limit", { Type: "MAX_HOSTED_ZONES_BY_OWNER" })).toMatchObject({
        Limit: { Value: 500 },
        Count: HostedZoneCount,
      });
    });

    test("zones share name servers by a reusable delegation set, but not with a parent", async () => {
      const { DelegationSet: set } = await boto.call("create_reusable_delegation_set", { CallerReference: nextReference() });
      const zone = await boto.call("create_hosted_zone", {
        Name: "one.test.example",
        CallerReference: nextReference(),
        DelegationSetId: set.Id,
      });
      expect(zone.DelegationSet.NameServers).toEqual(set.NameServers);
      expect((await boto.call("get_reusable_delegation_set", { Id: set.Id })).DelegationSet).toEqual(set);
      expect(
        await boto.refusal("create_hosted_zone", { Name: "a.one.test.example", CallerReference: nextReference(), DelegationSetId: set.Id }),
      ).toMatchObject({ code: "ConflictingDomainExists" });
      expect(await boto.refusal("delete_reusable_delegation_set", { Id: set.Id })).toMatchObject({ code: "DelegationSetInUse" });
      expect(await boto.refusal("get_reusable_delegation_set", { Id: "N0NONE" })).toMatchObject({
        code: "NoSuchDelegationSet",
        status: 400,
      });
    });
  });

  describe("record sets", () => {
    test("a set's life: created, replaced, deleted by all of its values", async () => {
      expect(await create(plain("WWW.example.org", ["192.0.2.1", "192.0.2.2"]))).toMatchObject({
        ChangeInfo: { Id: expect.stringMatching(/^\/change\/C/), Status: "PENDING" },
      });
      expect(await list()).toEqual([plain("www.example.org.", ["192.0.2.1", "192.0.2.2"])]);
      expect(await refused(["CREATE", plain("www.example.org", ["192.0.2.3"])])).toEqual({
        ...{ code: "InvalidChangeBatch", status: 400 },
        message: "[Tried to create resource record set [name='www.example.org.', type='A'] but it already exists]",
      });
      await change(["UPSERT", plain("www.example.org", ["192.0.2.3"], 60)]);
      expect((await refused(["DELETE", plain("www.example.org", ["192.0.2.1"], 60)])).message).toContain(
        "but the values provided do not match the current values",
      );
      expect((await refused(["DELETE", plain("www.example.org", ["192.0.2.3"], 30)])).message).toContain("do not match");
      expect((await refused(["DELETE", plain("api.example.org", ["192.0.2.3"])])).message).toContain("but it was not found");
      await change(["DELETE", plain("www.example.org", ["192.0.2.3"], 60)]);
      expect(await list()).toEqual([]);
    });

    test("a batch is made whole or not at all, in its order", async () => {
      await create(plain("www.example.org", ["192.0.2.1"]));
      const alias = { Name: "www.example.org", Type: "CNAME", TTL: 30, ResourceRecords: values("elsewhere.example.net") };
      const error = await refused(
        ["UPSERT", plain("a.example.org", ["192.0.2.9"])],
        ["CREATE", alias],
        ["DELETE", plain("www.example.org", ["192.0.2.1"])],
      );
      expect(error.message).toBe(
        "[RRSet of type CNAME with DNS name www.example.org. is not permitted as it conflicts with other records with the same DNS name in zone example.org.]",
      );
      expect(await list()).toEqual([plain("www.example.org.", ["192.0.2.1"])]);
      expect(emulator.writes()).toBe(1);
      await change(["DELETE", plain("www.example.org", ["192.0.2.1"])], ["CREATE", alias]);
      expect(await list()).toMatchObject([{ Type: "CNAME", ResourceRecords: values("elsewhere.example.net") }]);
      expect((await refused(["CREATE", plain("www.example.org", ["192.0.2.1"])])).message).toContain(
        "because a conflicting RRSet of type  CNAME",
      );
    });

    test("all that is wrong is told at once, in either form", async () => {
      const two = [
        ["CREATE", plain("www.example.net", ["192.0.2.1"])],
        ["DELETE", plain("b.example.org", ["192.0.2.1"])],
      ] as const;
      const message =
        "RRSet with DNS name www.example.net. is not permitted in zone example.org., Tried to delete resource record set [name='b.example.org.', type='A'] but it was not found";
      expect((await refused(...two)).message).toBe(`[${message}]`);
      emulator.knobs.invalidChangeBatchForm = "Messages";
      // The form of the API's reference has no Error, and botocore finds no code in it.
      expect(await refused(...two)).toMatchObject({ code: "", status: 400 });
    });

    test("what is refused of a set, each for its reason, and nothing is written", async () => {
      for (const { name, set, code = "InvalidChangeBatch", says } of REFUSED_SETS) {
        const text = JSON.stringify(set).replace("SELF", zoneId);
        const error = await refused(["CREATE", JSON.parse(text)]);
        expect(error, name).toMatchObject({ code, status: code === "NoSuchHealthCheck" ? 404 : 400 });
        expect(error.message, name).toContain(says);
      }
      expect(emulator.writes()).toBe(0);
      expect(emulator.requests("ChangeResourceRecordSets")).toBe(REFUSED_SETS.length);
    });

    test("the sets of the apex stay", async () => {
      const { ResourceRecordSets: sets } = await boto.call("list_resource_record_sets", { HostedZoneId: zoneId });
      expect((await refused(["DELETE", sets[1]!])).message).toContain("A HostedZone must contain exactly one SOA record.");
      expect((await refused(["DELETE", sets[0]!])).message).toContain(
        "A HostedZone must contain at least one NS record for the zone itself.",
      );
    });

    test("a batch holds 1,000 records and 32,000 characters, and an UPSERT counts twice", async () => {
      const sets = Array.from({ length: 500 }, (_, i) => plain(`n${i}.example.org`, ["192.0.2.1"]));
      const alias = (action: string) => [action, { Name: "lb.example.org", Type: "A", AliasTarget: LOAD_BALANCER }] as const;
      const upserts = sets.map((set) => ["UPSERT", set] as const);
      expect((await refused(...upserts, alias("CREATE"))).message).toBe("[Number of records limit of 1000 exceeded.]");
      await change(...upserts);
      const long = (from: number, action: string) =>
        Array.from(
          { length: 64 },
          (_, i) =>
            [action, { Name: `t${from + i}.example.org`, Type: "TXT", TTL: 1, ResourceRecords: values(`"${"x".repeat(248)}"`) }] as const,
        );
      expect((await refused(...long(0, "UPSERT"), ["UPSERT", plain("o.example.org", ["192.0.2.1"])])).message).toContain(
        "characters limit of 32000",
      );
      await change(...long(0, "UPSERT"));
      await change(...long(100, "CREATE"), ...long(200, "CREATE"));
    });

    test("a set may be changed once in a batch, or deleted and created", async () => {
      const before = plain("www.example.org", ["192.0.2.1"]);
      expect((await refused(["CREATE", before], ["UPSERT", before])).message).toContain(
        "invalid set of changes for a resource record set 'A www.example.org.'",
      );
      await create(before);
      await change(["DELETE", before], ["CREATE", plain("www.example.org", ["192.0.2.2"])]);
      expect(
        (await refused(["DELETE", plain("www.example.org", ["192.0.2.2"])], ["DELETE", plain("www.example.org", ["192.0.2.2"])])).message,
      ).toContain("invalid set of changes");
    });

    test("a zone holds as many sets as its quota", async () => {
      for (const from of [0, 1000]) {
        const sets = Array.from({ length: from === 0 ? 1000 : 498 }, (_, i) => plain(`n${from + i}.example.org`, ["192.0.2.1"]));
        await create(...sets);
      }
      expect((await refused(["CREATE", plain("www.example.org", ["192.0.2.1"])])).message).toContain("limit of 1500 exceeded");
    });

    test("a thousand sets come in pages, in order, with names escaped", async () => {
      const names = [
        ...Array.from({ length: 997 }, (_, i) => `n${i}.example.org.`),
        "*.example.org.",
        "_acme.n5.example.org.",
        "a.b.example.org.",
      ];
      await create(...names.map((name) => plain(name, ["192.0.2.1"])));
      const first = await boto.call("list_resource_record_sets", { HostedZoneId: zoneId });
      expect(first).toMatchObject({ IsTruncated: true, MaxItems: "100" });
      expect(first.ResourceRecordSets).toHaveLength(100);
      expect(await boto.call("list_resource_record_sets", { HostedZoneId: zoneId, MaxItems: "1000" })).toMatchObject({
        MaxItems: "300",
        IsTruncated: true,
      });
      emulator.forget();
      const pages = await boto.pages("list_resource_record_sets", { HostedZoneId: zoneId, PaginationConfig: { PageSize: 300 } });
      expect(emulator.requests("ListResourceRecordSets")).toBe(4);
      const listed: readonly string[] = pages.flatMap((page) => page.ResourceRecordSets).map((set) => set.Name);
      expect(listed).toHaveLength(1002);
      const reversed = listed.map((name) => name.split(".").reverse().join("."));
      expect(reversed).toEqual([...reversed].sort());
      expect(listed).toContain("\\052.example.org.");
      expect(listed.indexOf("_acme.n5.example.org.")).toBe(listed.indexOf("n5.example.org.") + 1);
      const from = await boto.call("list_resource_record_sets", {
        HostedZoneId: zoneId,
        StartRecordName: "*.example.org",
        StartRecordType: "A",
        MaxItems: "1",
      });
      expect(from).toMatchObject({
        ResourceRecordSets: [{ Name: "\\052.example.org." }],
        NextRecordName: "a.b.example.org.",
        NextRecordType: "A",
      });
      expect(await boto.refusal("list_resource_record_sets", { HostedZoneId: zoneId, StartRecordType: "A" })).toMatchObject({
        code: "InvalidInput",
      });
    });

    test("a change is PENDING until it is everywhere", async () => {
      emulator.knobs.propagationMilliseconds = 60_000;
      const { ChangeInfo } = await create(plain("www.example.org", ["192.0.2.1"]));
      expect(await boto.call("get_change", { Id: ChangeInfo.Id })).toMatchObject({
        ChangeInfo: { Id: ChangeInfo.Id, Status: "PENDING", SubmittedAt: ChangeInfo.SubmittedAt },
      });
      expect(await boto.attempt("resource_record_sets_changed", { Id: ChangeInfo.Id }, "wait")).toMatchObject({
        error: { code: "WaiterError" },
      });
      time += 60_000;
      await boto.wait("resource_record_sets_changed", { Id: ChangeInfo.Id });
      expect(await boto.refusal("get_change", { Id: "C0NONE" })).toMatchObject({ code: "NoSuchChange", status: 404 });
    });

    test("a zone that is at work refuses another batch, and the client tries again", async () => {
      emulator.knobs.processingMilliseconds = 1000;
      await create(plain("www.example.org", ["192.0.2.1"]));
      expect(await refused(["CREATE", plain("api.example.org", ["192.0.2.1"])])).toMatchObject({
        code: "PriorRequestNotComplete",
        status: 400,
      });
      const other = emulator.addZone("example.test");
      await boto.call("change_resource_record_sets", batch([["CREATE", plain("www.example.test", ["192.0.2.1"])]], other));
      time += 1000;
      await create(plain("api.example.org", ["192.0.2.1"]));
      emulator.knobs.processingMilliseconds = 0;
      time += 1000;
      emulator.inject({ kind: "Delay", milliseconds: 500, action: "ChangeResourceRecordSets" });
      const second = startBoto({ url: emulator.url });
      await second.call("list_hosted_zones");
      const outcomes = await Promise.all(
        [boto, second].map((one, i) =>
          one.attempt("change_resource_record_sets", batch([["UPSERT", plain(`n${i}.example.org`, ["192.0.2.1"])]])),
        ),
      );
      await second.stop();
      expect(outcomes.map((outcome) => ("error" in outcome ? outcome.error.code : "made")).sort()).toEqual([
        "PriorRequestNotComplete",
        "made",
      ]);
    });
  });

  describe("routing policies", () => {
    const groups: readonly { name: string; sets: readonly object[] }[] = [
      { name: "weighted", sets: [grouped("a", { Weight: 0 }), grouped("b", { Weight: 255 })] },
      { name: "latency", sets: [grouped("a", { Region: "eu-central-1" }), grouped("b", { Region: "us-east-1" })] },
      {
        name: "geolocation",
        sets: [
          grouped("a", { GeoLocation: { ContinentCode: "EU" } }),
          grouped("b", { GeoLocation: { CountryCode: "*" } }),
          grouped("c", { GeoLocation: { CountryCode: "US", SubdivisionCode: "CA" } }),
        ],
      },
      {
        name: "geoproximity",
        sets: [
          grouped("a", { GeoProximityLocation: { Coordinates: { Latitude: "50.11", Longitude: "8.68" }, Bias: -10 } }),
          grouped("b", { GeoProximityLocation: { AWSRegion: "us-east-1" } }),
          grouped("c", { GeoProximityLocation: { LocalZoneGroup: "us-west-2-den-1", Bias: 99 } }),
        ],
      },
      {
        name: "multivalue answer",
        sets: [grouped("a", { MultiValueAnswer: true }), grouped("b", { MultiValueAnswer: true }, "192.0.2.2")],
      },
    ];
    test("every policy is kept as it was sent, and mixes with no other", async () => {
      for (const { name, sets } of groups) {
        await create(...sets);
        expect(await list(), name).toEqual(sets);
        for (const other of groups.filter((one) => one.name !== name)) {
          expect(await refused(["CREATE", { ...other.sets[0]!, SetIdentifier: "z" }]), `${other.name} beside ${name}`).toMatchObject({
            code: "InvalidChangeBatch",
          });
        }
        expect((await refused(["CREATE", plain("shop.example.org", ["192.0.2.1"])])).message).toContain(
          "cannot be created as other RRSets exist with the same name and type.",
        );
        await change(...sets.map((set) => ["DELETE", set] as const), ["CREATE", plain("shop.example.org", ["192.0.2.1"])]);
        expect((await refused(["CREATE", sets[0]!])).code).toBe("InvalidChangeBatch");
        await change(["DELETE", plain("shop.example.org", ["192.0.2.1"])]);
      }
    });

    test("failover takes one primary and one secondary", async () => {
      const HealthCheckId = await healthCheck();
      const primary = { ...grouped("a", { Failover: "PRIMARY" }), HealthCheckId };
      await create(primary, grouped("b", { Failover: "SECONDARY" }));
      expect(await list()).toEqual([primary, grouped("b", { Failover: "SECONDARY" })]);
      expect((await refused(["CREATE", { ...primary, SetIdentifier: "c" }])).message).toContain(
        "failover RRSet with the same name, type and failover value already exists",
      );
      expect((await refused(["CREATE", grouped("c", { Failover: "SECONDARY" })])).code).toBe("InvalidChangeBatch");
    });

    test("a region and a place belong to one set of a group", async () => {
      await create(grouped("a", { Region: "eu-west-1" }));
      expect((await refused(["CREATE", grouped("b", { Region: "eu-west-1" })])).message).toBe(
        "[RRSet with DNS name shop.example.org., type A, SetIdentifier b, and Region Name=eu-west-1 cannot be created because a latency RRSet with the same name, type and region already exists.]",
      );
      await change(["UPSERT", grouped("a", { Region: "eu-west-1" }, "192.0.2.9")]);
      const german = (id: string) => ({ ...grouped(id, { GeoLocation: { CountryCode: "DE" } }), Name: "geo.example.org" });
      await create(german("a"));
      expect((await refused(["CREATE", german("b")])).message).toContain("geolocation RRSet");
    });

    test("weighted sets of one group share the last TTL", async () => {
      await create(grouped("a", { Weight: 1 }), { ...grouped("b", { Weight: 1 }), TTL: 5 });
      expect((await list()).map((set) => set.TTL)).toEqual([5, 5]);
    });

    test("a group takes 100 sets, of geoproximity 30", async () => {
      const many = (count: number, policy: object, Name: string) =>
        Array.from({ length: count }, (_, i) => ({ ...grouped(`s${i}`, policy), Name }));
      await create(...many(100, { Weight: 1 }, "w.example.org"));
      expect((await refused(["CREATE", grouped("x", { Weight: 1 }, "192.0.2.1", "w.example.org")])).message).toContain("limit of 100");
      const place = { GeoProximityLocation: { AWSRegion: "eu-west-1" } };
      await create(...many(30, place, "g.example.org"));
      expect((await refused(["CREATE", grouped("x", place, "192.0.2.1", "g.example.org")])).message).toContain("limit of 30");
    });

    test("aliases: to a service, and to a set that is there before", async () => {
      const target = plain("eu.example.org", ["192.0.2.1"]);
      const alias = (Name: string, DNSName: string) => ({
        Name,
        Type: "A",
        AliasTarget: { HostedZoneId: zoneId, DNSName, EvaluateTargetHealth: true },
      });
      expect((await refused(["CREATE", alias("www.example.org", "eu.example.org")], ["CREATE", target])).message).toContain(
        "but that target was not found",
      );
      await create(target, alias("www.example.org", "eu.example.org"), { Name: "example.org", Type: "A", AliasTarget: LOAD_BALANCER });
      expect(await list()).toEqual([
        { Name: "example.org.", Type: "A", AliasTarget: LOAD_BALANCER },
        plain("eu.example.org.", ["192.0.2.1"]),
        alias("www.example.org.", "eu.example.org."),
      ]);
      expect((await refused(["CREATE", { ...alias("six.example.org", "eu.example.org"), Type: "AAAA" }])).message).toContain(
        "but that target was not found",
      );
      expect((await refused(["DELETE", target])).message).toContain("is the target of an alias");
      await change(["DELETE", alias("www.example.org", "eu.example.org")], ["DELETE", target]);
    });

    test("CIDR collections: versions, blocks, locations, and sets that use them", async () => {
      const { Collection } = await boto.call("create_cidr_collection", { Name: "networks", CallerReference: "one" });
      expect(Collection).toMatchObject({
        Version: 1,
        Name: "networks",
        Arn: expect.stringMatching(/^arn:aws:route53::\d{12}:cidrcollection\//),
      });
      expect((await boto.call("create_cidr_collection", { Name: "networks", CallerReference: "one" })).Collection.Id).toBe(Collection.Id);
      expect(await boto.refusal("create_cidr_collection", { Name: "networks", CallerReference: "two" })).toMatchObject({
        code: "CidrCollectionAlreadyExistsException",
      });
      const put = (location: string, CidrList: readonly string[], more: object = {}, Action = "PUT") => ({
        Id: Collection.Id,
        Changes: [{ LocationName: location, Action, CidrList }],
        ...more,
      });
      await boto.call("change_cidr_collection", put("office", ["192.0.2.0/24", "2001:db8::/32"], { CollectionVersion: 1 }));
      await boto.call("change_cidr_collection", put("home", ["198.51.100.0/24"]));
      expect(await boto.refusal("change_cidr_collection", put("home", ["203.0.113.0/24"], { CollectionVersion: 1 }))).toMatchObject({
        code: "CidrCollectionVersionMismatchException",
        status: 409,
      });
      expect(await boto.refusal("change_cidr_collection", put("home", ["192.0.2.0/25"]))).toMatchObject({ code: "InvalidInput" });
      expect(await boto.refusal("change_cidr_collection", put("home", ["2001:db8::/49"]))).toMatchObject({ code: "InvalidInput" });
      expect(await boto.refusal("change_cidr_collection", put("home", ["192.0.2.0/24"]))).toMatchObject({
        code: "CidrBlockInUseException",
      });
      expect((await boto.pages("list_cidr_locations", { CollectionId: Collection.Id })).flatMap((page) => page.CidrLocations)).toEqual([
        { LocationName: "home" },
        { LocationName: "office" },
      ]);
      const blocks = await boto.pages("list_cidr_blocks", { CollectionId: Collection.Id, PaginationConfig: { PageSize: 1 } });
      expect(blocks.flatMap((page) => page.CidrBlocks)).toContainEqual({ CidrBlock: "2001:db8::/32", LocationName: "office" });
      expect(blocks).toHaveLength(3);
      expect(await boto.refusal("list_cidr_blocks", { CollectionId: Collection.Id, LocationName: "none" })).toMatchObject({
        code: "NoSuchCidrLocationException",
        status: 404,
      });
      expect((await boto.call("list_cidr_collections")).CidrCollections).toMatchObject([{ Version: 3 }]);

      const set = (id: string, LocationName: string) => grouped(id, { CidrRoutingConfig: { CollectionId: Collection.Id, LocationName } });
      await create(set("a", "office"), set("b", "*"));
      expect(await list()).toEqual([set("a", "office"), set("b", "*")]);
      expect((await refused(["CREATE", set("c", "nowhere")])).message).toContain("has no location nowhere");
      expect((await refused(["CREATE", set("c", "office")])).message).toContain("LocationName=office");
      expect(
        await boto.refusal("change_cidr_collection", put("office", ["192.0.2.0/24", "2001:db8::/32"], {}, "DELETE_IF_EXISTS")),
      ).toMatchObject({ code: "CidrBlockInUseException" });
      expect(await boto.refusal("delete_cidr_collection", { Id: Collection.Id })).toMatchObject({ code: "CidrCollectionInUseException" });
      await change(["DELETE", set("a", "office")], ["DELETE", set("b", "*")]);
      await boto.call("change_cidr_collection", put("office", ["192.0.2.0/24", "2001:db8::/32"], {}, "DELETE_IF_EXISTS"));
      await boto.call("change_cidr_collection", put("home", ["198.51.100.0/24"], {}, "DELETE_IF_EXISTS"));
      await boto.call("delete_cidr_collection", { Id: Collection.Id });
      expect(await boto.refusal("delete_cidr_collection", { Id: Collection.Id })).toMatchObject({
        code: "NoSuchCidrCollectionException",
        status: 404,
      });
    });
  });

  describe("health checks", () => {
    afterEach(async () => {
      for (const { id } of emulator.healthChecks()) await boto.call("delete_health_check", { HealthCheckId: id });
    });

    test("a caller reference makes one check, and a deleted one's comes never back", async () => {
      const CallerReference = nextReference();
      const parameters = { CallerReference, HealthCheckConfig: endpoint() };
      const { HealthCheck, Location } = await boto.call("create_health_check", parameters);
      expect(HealthCheck).toEqual({
        ...{ Id: expect.any(String), CallerReference, HealthCheckVersion: 1 },
        HealthCheckConfig: {
          ...endpoint(),
          RequestInterval: 30,
          FailureThreshold: 3,
          MeasureLatency: false,
          Inverted: false,
          Disabled: false,
          EnableSNI: false,
        },
      });
      expect(Location).toContain(`/2013-04-01/healthcheck/${HealthCheck.Id}`);
      expect((await boto.call("create_health_check", parameters)).HealthCheck).toEqual(HealthCheck);
      expect((await boto.call("get_health_check", { HealthCheckId: HealthCheck.Id })).HealthCheck).toEqual(HealthCheck);
      expect(await boto.refusal("create_health_check", { CallerReference, HealthCheckConfig: endpoint({ Port: 81 }) })).toMatchObject({
        code: "HealthCheckAlreadyExists",
        status: 409,
      });
      await boto.call("delete_health_check", { HealthCheckId: HealthCheck.Id });
      expect(await boto.refusal("get_health_check", { HealthCheckId: HealthCheck.Id })).toMatchObject({
        code: "NoSuchHealthCheck",
        status: 404,
      });
      expect(await boto.refusal("create_health_check", parameters)).toMatchObject({ code: "HealthCheckAlreadyExists" });
    });

    test("what is refused of a check", async () => {
      for (const { name, config } of REFUSED_CHECKS) {
        expect(
          await boto.refusal("create_health_check", { CallerReference: nextReference(), HealthCheckConfig: config }),
          name,
        ).toMatchObject({ code: "InvalidInput", status: 400 });
      }
      expect(emulator.healthChecks()).toEqual([]);
    });

    test("every type, listed in pages up to the quota", async () => {
      const ids = [
        await healthCheck(endpoint({ Type: "HTTPS", FullyQualifiedDomainName: "shop.example.org", Port: 443 })),
        await healthCheck(
          endpoint({ Type: "HTTP_STR_MATCH", SearchString: "ok", RequestInterval: 10, Regions: ["us-east-1", "us-west-1", "eu-west-1"] }),
        ),
        await healthCheck({ Type: "HTTPS_STR_MATCH", SearchString: "ok", FullyQualifiedDomainName: "shop.example.org" }),
        await healthCheck({ Type: "TCP", IPAddress: "2001:4860:4860::8888", Port: 53 }),
      ];
      ids.push(await healthCheck({ Type: "CALCULATED", HealthThreshold: 1, ChildHealthChecks: ids.slice(0, 2) }));
      for (let i = ids.length; i < 12; i++) ids.push(await healthCheck());
      expect(await boto.refusal("create_health_check", { CallerReference: nextReference(), HealthCheckConfig: endpoint() })).toMatchObject({
        code: "TooManyHealthChecks",
        status: 400,
      });
      const pages = await boto.pages("list_health_checks", { PaginationConfig: { PageSize: 5 } });
      expect(pages.map((page) => page.HealthChecks.length)).toEqual([5, 5, 2]);
      expect(pages.flatMap((page) => page.HealthChecks).map((check) => check.Id)).toEqual(ids);
      expect(await boto.call("get_health_check_count")).toEqual({ HealthCheckCount: 12 });
    });

    test("an update is of one version, and resets what it names", async () => {
      const id = await healthCheck(endpoint({ FullyQualifiedDomainName: "shop.example.org" }));
      const { HealthCheck } = await boto.call("update_health_check", {
        HealthCheckId: id,
        HealthCheckVersion: 1,
        Port: 8080,
        Inverted: true,
        ResetElements: ["FullyQualifiedDomainName"],
      });
      expect(HealthCheck).toMatchObject({ HealthCheckVersion: 2, HealthCheckConfig: { Port: 8080, Inverted: true } });
      expect(HealthCheck.HealthCheckConfig).not.toHaveProperty("FullyQualifiedDomainName");
      expect(await boto.refusal("update_health_check", { HealthCheckId: id, HealthCheckVersion: 1, Port: 80 })).toMatchObject({
        code: "HealthCheckVersionMismatch",
        status: 409,
      });
    });

    test("a status is what the endpoint does; the verdict knows inversion, calculation and disabling", async () => {
      const id = await healthCheck();
      const inverted = await healthCheck(endpoint({ Inverted: true }));
      const both = await healthCheck({ Type: "CALCULATED", HealthThreshold: 2, ChildHealthChecks: [id, inverted] });
      const status = async (): Promise<string> =>
        (await boto.call("get_health_check_status", { HealthCheckId: id })).HealthCheckObservations[0].StatusReport.Status;
      expect(await status()).toMatch(/^Success/);
      expect(emulator.unhealthy()).toEqual(new Set([inverted, both]));
      emulator.setEndpointHealth(inverted, false);
      expect(emulator.unhealthy()).toEqual(new Set());
      emulator.setEndpointHealth(id, false);
      expect(await status()).toMatch(/^Failure/);
      expect(emulator.unhealthy()).toEqual(new Set([id, both]));
      await boto.call("update_health_check", { HealthCheckId: id, Disabled: true });
      expect(emulator.unhealthy()).toEqual(new Set());
    });

    test("tags of checks and zones", async () => {
      const id = await healthCheck();
      const tag = (ResourceType: string, ResourceId: string, more: object) =>
        boto.call("change_tags_for_resource", { ResourceType, ResourceId, ...more });
      await tag("healthcheck", id, {
        AddTags: [
          { Key: "owner", Value: "prod-eu" },
          { Key: "Name", Value: "shop & <cart>" },
        ],
      });
      await tag("healthcheck", id, { AddTags: [{ Key: "owner", Value: "prod-us" }], RemoveTagKeys: ["Name"] });
      await tag("hostedzone", zoneId, { AddTags: [{ Key: "Name", Value: "shop & <cart>" }] });
      const of = async (ResourceType: string, ResourceId: string) =>
        (await boto.call("list_tags_for_resource", { ResourceType, ResourceId })).ResourceTagSet.Tags;
      expect(await of("healthcheck", id)).toEqual([{ Key: "owner", Value: "prod-us" }]);
      expect(await of("hostedzone", zoneId)).toEqual([{ Key: "Name", Value: "shop & <cart>" }]);
      const many = await boto.call("list_tags_for_resources", { ResourceType: "healthcheck", ResourceIds: [id] });
      expect(many.ResourceTagSets).toEqual([{ ResourceType: "healthcheck", ResourceId: id, Tags: [{ Key: "owner", Value: "prod-us" }] }]);
      const keys = Array.from({ length: 11 }, (_, i) => ({ Key: `k${i}`, Value: "" }));
      expect(
        await boto.refusal("change_tags_for_resource", { ResourceType: "hostedzone", ResourceId: zoneId, AddTags: keys }),
      ).toMatchObject({ code: "InvalidInput" });
      expect(await boto.refusal("list_tags_for_resource", { ResourceType: "hostedzone", ResourceId: "Z0NONE" })).toMatchObject({
        code: "NoSuchHostedZone",
      });
    });
  });

  describe("who may, and how often", () => {
    test("buckets of the account and of actions run dry and fill again", async () => {
      emulator.knobs.isThrottling = true;
      const id = emulator.healthChecks()[0]?.id ?? (await healthCheck());
      for (let i = 0; i < 4; i++) await boto.call("get_health_check_status", { HealthCheckId: id });
      expect(await boto.refusal("get_health_check_status", { HealthCheckId: id })).toEqual({
        code: "Throttling",
        message: "Rate exceeded",
        status: 400,
      });
      time += 1000;
      await boto.call("get_health_check_status", { HealthCheckId: id });
      expect((await boto.refusal("get_health_check_status", { HealthCheckId: id })).code).toBe("Throttling");
      for (let i = 0; ; i++) {
        const outcome = await boto.attempt("get_hosted_zone", { Id: zoneId });
        if (!("error" in outcome)) continue;
        expect(outcome.error.code).toBe("Throttling");
        expect(i).toBeGreaterThan(40);
        break;
      }
      time += 300;
      for (let i = 0; i < 3; i++) await boto.call("list_hosted_zones");
      expect((await boto.refusal("list_hosted_zones")).code).toBe("Throttling");
    });

    test("too many changes are throttled as well, and nothing of them is made", async () => {
      emulator.knobs.isThrottling = true;
      const fill = (from: number, count = 1000) =>
        Array.from({ length: count }, (_, i) => ["CREATE", plain(`n${from + i}.example.org`, ["192.0.2.1"])] as const);
      const other = emulator.addZone("example.org");
      await change(...fill(0));
      await boto.call("change_resource_record_sets", batch(fill(0), other));
      expect(await refused(...fill(2000, 100))).toMatchObject({ code: "Throttling" });
      time += 500;
      await change(...fill(2000, 100));
    });

    test("a client that is throttled and tries again gets through", async () => {
      const patient = startBoto({ url: emulator.url, attempts: 4 });
      emulator.inject({ kind: "Error", status: 400, code: "Throttling", message: "Rate exceeded", times: 2, action: "ListHostedZones" });
      await patient.call("list_hosted_zones");
      emulator.inject({ kind: "Error", status: 503, code: "ServiceUnavailable", times: 1 });
      await patient.call("list_hosted_zones");
      expect(emulator.log.filter(({ action }) => action === "ListHostedZones").map(({ status }) => status)).toEqual([
        400, 400, 200, 503, 200,
      ]);
      await patient.stop();
    });

    test("a connection that breaks before or after the change", async () => {
      emulator.inject({ kind: "DropBefore", action: "ChangeResourceRecordSets" });
      expect((await refused(["CREATE", plain("a.example.org", ["192.0.2.1"])])).code).toBe("ConnectionClosedError");
      expect(emulator.writes()).toBe(0);
      emulator.inject({ kind: "DropAfter", action: "ChangeResourceRecordSets" });
      expect((await refused(["CREATE", plain("a.example.org", ["192.0.2.1"])])).code).toBe("ConnectionClosedError");
      expect(emulator.writes()).toBe(1);
      expect(await list()).toHaveLength(1);
    });

    test("keys, secrets and tokens are looked at", async () => {
      const told = async (settings: object, prepare = () => {}): Promise<string> => {
        const client = startBoto({ url: emulator.url, ...settings });
        prepare();
        const { code, status } = await client.refusal("list_hosted_zones");
        await client.stop();
        return `${status} ${code}`;
      };
      expect(await told({ accessKeyId: "AKIANOBODY0000000000" })).toBe("403 InvalidClientTokenId");
      expect(await told({ secretAccessKey: "another" })).toBe("403 SignatureDoesNotMatch");
      expect(await told({ sessionToken: "made up" })).toBe("403 InvalidClientTokenId");
      expect(await told({}, () => Object.assign(emulator.knobs, { isTokenExpired: true }))).toBe("403 ExpiredToken");
      emulator.knobs.isTokenExpired = false;
      emulator.knobs.deniedActions = ["ChangeResourceRecordSets"];
      const error = await refused(["CREATE", plain("a.example.org", ["192.0.2.1"])]);
      expect(error).toMatchObject({
        code: "AccessDenied",
        status: 403,
        message: expect.stringContaining("is not authorized to perform: route53:ChangeResourceRecordSets"),
      });
      expect(emulator.writes()).toBe(0);
    });

    test("an assumed role signs for an hour", async () => {
      const parameters = { RoleArn: ROLE.arn, RoleSessionName: "globalroute", ExternalId: ROLE.externalId };
      const outcome = await boto.attempt("assume_role", parameters, "call", "sts");
      if ("error" in outcome) throw new Error(outcome.error.message);
      const { Credentials, AssumedRoleUser } = outcome.result;
      expect(AssumedRoleUser.Arn).toBe("arn:aws:sts::123456789012:assumed-role/dns-writer/globalroute");
      expect(Date.parse(Credentials.Expiration)).toBe(time + 3_600_000);
      const assumed = startBoto({
        url: emulator.url,
        accessKeyId: Credentials.AccessKeyId,
        secretAccessKey: Credentials.SecretAccessKey,
        sessionToken: Credentials.SessionToken,
      });
      await assumed.call("list_hosted_zones");
      expect(emulator.log.at(-1)).toMatchObject({ action: "ListHostedZones", accessKeyId: Credentials.AccessKeyId });
      time += 3_600_000;
      expect(await assumed.refusal("list_hosted_zones")).toMatchObject({ code: "ExpiredToken", status: 403 });
      await assumed.stop();
      for (const more of [{ ExternalId: "another" }, { RoleArn: `${ROLE.arn}s` }]) {
        expect(await boto.attempt("assume_role", { ...parameters, ...more }, "call", "sts")).toMatchObject({
          error: { code: "AccessDenied", status: 403 },
        });
      }
    });

    test("a token of an identity provider is worth a role, without a signature", async () => {
      const stranger = startBoto({ url: emulator.url, accessKeyId: "AKIANOBODY0000000000" });
      const parameters = { RoleArn: ROLE.arn, RoleSessionName: "globalroute", WebIdentityToken: ROLE.webIdentityToken };
      const outcome = await stranger.attempt("assume_role_with_web_identity", parameters, "call", "sts");
      if ("error" in outcome) throw new Error(outcome.error.message);
      const { AccessKeyId, SecretAccessKey, SessionToken } = outcome.result.Credentials;
      const assumed = startBoto({
        url: emulator.url,
        accessKeyId: AccessKeyId,
        secretAccessKey: SecretAccessKey,
        sessionToken: SessionToken,
      });
      await assumed.call("list_hosted_zones");
      const other = { ...parameters, WebIdentityToken: "another.token" };
      expect(await stranger.attempt("assume_role_with_web_identity", other, "call", "sts")).toMatchObject({
        error: { code: "InvalidIdentityToken" },
      });
      await Promise.all([stranger.stop(), assumed.stop()]);
    });

    test("a signature is as old as the clock says", async () => {
      const strict = await startRoute53Emulator({ wallClock: () => time, checksSignatureAge: true });
      const real = await startRoute53Emulator({ checksSignatureAge: true });
      const [early, timely] = [startBoto({ url: strict.url }), startBoto({ url: real.url })];
      expect(await early.refusal("list_hosted_zones")).toMatchObject({
        code: "SignatureDoesNotMatch",
        message: expect.stringContaining("Signature expired"),
      });
      await timely.call("list_hosted_zones");
      await Promise.all([early.stop(), timely.stop()]);
      await Promise.all([strict.close(), real.close()]);
    });

    test("a request without a signature, or with one of another service", async () => {
      const get = async (headers: Readonly<Record<string, string>>): Promise<string> => {
        const response = await fetch(`${emulator.url}/2013-04-01/hostedzone`, { headers });
        return `${response.status} ${/<Code>(\w+)<\/Code>/.exec(await response.text())?.[1]}`;
      };
      const scope = (service: string, region: string) => ({
        authorization: `AWS4-HMAC-SHA256 Credential=${EMULATOR_CREDENTIAL.accessKeyId}/20270115/${region}/${service}/aws4_request, SignedHeaders=host;x-amz-date, Signature=${"0".repeat(64)}`,
        "x-amz-date": "20270115T080000Z",
      });
      expect(await get({})).toBe("403 MissingAuthenticationToken");
      expect(await get({ authorization: "Bearer token" })).toBe("400 IncompleteSignature");
      expect(await get(scope("s3", "us-east-1"))).toBe("403 SignatureDoesNotMatch");
      expect(await get(scope("route53", "eu-central-1"))).toBe("403 SignatureDoesNotMatch");
      expect(await get(scope("route53", "us-east-1"))).toBe("403 SignatureDoesNotMatch");
    });
  });
});

describe.skipIf(!requireComponent("aws-python", "aws-python"))("beside moto, which others wrote", () => {
  let emulator: Route53Emulator;
  let moto: Moto;
  beforeAll(async () => {
    [emulator, moto] = await Promise.all([startRoute53Emulator(), startMoto()]);
  });
  afterAll(async () => {
    await Promise.all([moto?.stop(), emulator?.close()]);
  });

  /**
   * A line for each call: what was refused by status and code, what was answered by what is looked at. Left out is what moto does not know: names
   * with escapes, geoproximity, and the code that goes with a deletion of nothing.
   */
  async function story(url: string): Promise<readonly string[]> {
    const boto = startBoto({ url });
    const lines: string[] = [];
    const tell = async (
      operation: string,
      parameters: object,
      look: (answer: Answered) => unknown = () => "made",
    ): Promise<Answered | undefined> => {
      const outcome = await boto.attempt(operation, parameters);
      const line = "error" in outcome ? `${outcome.error.status} ${outcome.error.code}` : JSON.stringify(look(outcome.result));
      lines.push(`${lines.length + 1} ${operation}: ${line}`);
      return "error" in outcome ? undefined : outcome.result;
    };
    const zone = await tell("create_hosted_zone", { Name: "example.org", CallerReference: "1" }, (made) => [
      made.HostedZone.Name,
      made.DelegationSet.NameServers.length,
    ]);
    const HostedZoneId = zone!.HostedZone.Id;
    const changed = (Action: string, ...sets: readonly object[]) =>
      tell("change_resource_record_sets", {
        HostedZoneId,
        ChangeBatch: { Changes: sets.map((set) => ({ Action, ResourceRecordSet: set })) },
      });
    const www = plain("www.example.org.", ["192.0.2.1"]);
    const policies = [{ Weight: 5 }, { Region: "eu-west-1" }, { GeoLocation: { CountryCode: "*" } }, { MultiValueAnswer: true }];
    await changed("CREATE", www);
    await changed("CREATE", www);
    await changed("CREATE", plain("www.example.net.", ["192.0.2.1"]));
    for (const [at, policy] of policies.entries())
      await changed("UPSERT", grouped(`policy ${at}`, policy, "192.0.2.1", `p${at}.example.org.`));
    await changed("CREATE", { Name: "t.example.org.", Type: "TXT", TTL: 1, ResourceRecords: values('"a & <b>"', '"c"') });
    await changed("CREATE", ...Array.from({ length: 1001 }, (_, i) => plain(`n${i}.example.org.`, ["192.0.2.1"])));
    await tell("list_resource_record_sets", { HostedZoneId }, ({ ResourceRecordSets: sets }) =>
      sets.filter(({ Type }) => Type !== "NS" && Type !== "SOA").map((set) => Object.entries(set).sort()),
    );
    await tell("list_resource_record_sets", { HostedZoneId: "Z0NONE" });
    await tell("get_hosted_zone", { Id: "Z0NONE" });
    await tell("delete_hosted_zone", { Id: HostedZoneId });
    const check = await tell("create_health_check", { CallerReference: "1", HealthCheckConfig: endpoint() }, ({ HealthCheck }) =>
      Object.keys(HealthCheck.HealthCheckConfig).sort(),
    );
    const id = check!.HealthCheck.Id;
    await tell("change_tags_for_resource", { ResourceType: "healthcheck", ResourceId: id, AddTags: [{ Key: "owner", Value: "prod-eu" }] });
    await tell("list_tags_for_resource", { ResourceType: "healthcheck", ResourceId: id }, (listed) => listed.ResourceTagSet.Tags);
    await tell("delete_health_check", { HealthCheckId: id });
    await tell("get_health_check", { HealthCheckId: id });
    await tell("get_reusable_delegation_set", { Id: "N0NONE" });
    await boto.stop();
    return lines;
  }

  test("what moto knows of Route 53, both answer alike", async () => {
    expect(await story(emulator.url)).toEqual(await story(moto.url));
  });
});

describe("the emulator of Route 53, by AWS's SDK for JavaScript", () => {
  let emulator: Route53Emulator;
  let client: Route53Client;
  let time = 1_800_000_000_000;
  const clientOf = (maxAttempts: number): Route53Client =>
    new Route53Client({ region: "us-east-1", endpoint: emulator.url, credentials: EMULATOR_CREDENTIAL, maxAttempts });

  beforeAll(async () => {
    emulator = await startRoute53Emulator({ wallClock: () => time });
    client = clientOf(1);
  });
  afterAll(async () => {
    client?.destroy();
    await emulator?.close();
  });

  const changeSets = (HostedZoneId: string, Action: ChangeAction, sets: readonly ResourceRecordSet[]) =>
    client.send(
      new ChangeResourceRecordSetsCommand({
        HostedZoneId,
        ChangeBatch: { Changes: sets.map((set) => ({ Action, ResourceRecordSet: set })) },
      }),
    );
  const failure = async (work: Promise<unknown>): Promise<Route53ServiceException> => {
    const error = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    if (error instanceof Route53ServiceException) return error;
    throw new Error(`not refused: ${String(error)}`);
  };
  const address = { TTL: 30, ResourceRecords: [{ Value: "192.0.2.1" }] };

  test("a zone, its sets of every policy, and back to an empty zone", async () => {
    const made = await client.send(new CreateHostedZoneCommand({ Name: "example.org", CallerReference: "one" }));
    const HostedZoneId = made.HostedZone!.Id!;
    const { HealthCheck } = await client.send(
      new CreateHealthCheckCommand({ CallerReference: "check", HealthCheckConfig: { Type: "TCP", IPAddress: PUBLIC_ADDRESS, Port: 443 } }),
    );
    const { Collection } = await client.send(new CreateCidrCollectionCommand({ Name: "networks", CallerReference: "one" }));
    const sets: readonly ResourceRecordSet[] = [
      { Name: "a.example.org.", Type: "A", SetIdentifier: "1", Weight: 0, ...address },
      { Name: "b.example.org.", Type: "A", SetIdentifier: "1", Region: "eu-central-1", ...address },
      { Name: "c.example.org.", Type: "A", SetIdentifier: "1", Failover: "PRIMARY", HealthCheckId: HealthCheck!.Id!, ...address },
      { Name: "d.example.org.", Type: "A", SetIdentifier: "1", GeoLocation: { CountryCode: "US", SubdivisionCode: "NY" }, ...address },
      {
        Name: "e.example.org.",
        Type: "A",
        SetIdentifier: "1",
        GeoProximityLocation: { Coordinates: { Latitude: "-33.87", Longitude: "151.2" }, Bias: 0 },
        ...address,
      },
      { Name: "f.example.org.", Type: "A", SetIdentifier: "1", MultiValueAnswer: true, ...address },
      {
        Name: "g.example.org.",
        Type: "A",
        SetIdentifier: "1",
        CidrRoutingConfig: { CollectionId: Collection!.Id!, LocationName: "*" },
        ...address,
      },
      { Name: "h.example.org.", Type: "TXT", TTL: 0, ResourceRecords: [{ Value: '"a & b" "<c>"' }, { Value: '"\\042quoted\\042"' }] },
      {
        Name: "i.example.org.",
        Type: "A",
        AliasTarget: { HostedZoneId: HostedZoneId.slice("/hostedzone/".length), DNSName: "a.example.org.", EvaluateTargetHealth: false },
      },
    ];
    await changeSets(HostedZoneId, "CREATE", sets);
    const listed = await client.send(new ListResourceRecordSetsCommand({ HostedZoneId }));
    expect(listed.ResourceRecordSets?.slice(2)).toEqual(sets);
    await changeSets(HostedZoneId, "DELETE", [...sets].reverse());
    await client.send(new DeleteHostedZoneCommand({ Id: HostedZoneId }));
    expect(await failure(client.send(new GetHostedZoneCommand({ Id: HostedZoneId })))).toBeInstanceOf(NoSuchHostedZone);
  });

  test("pages are asked for by name, type and identifier", async () => {
    const HostedZoneId = emulator.addZone("example.org");
    const sets = Array.from({ length: 100 }, (_, i) => ({
      Name: "w.example.org.",
      Type: "A" as const,
      SetIdentifier: `s ${i}/&`,
      Weight: 1,
      ...address,
    }));
    await changeSets(HostedZoneId, "CREATE", sets);
    const found: ResourceRecordSet[] = [];
    let start: Partial<ListResourceRecordSetsCommandInput> = {};
    for (;;) {
      const page = await client.send(new ListResourceRecordSetsCommand({ HostedZoneId, MaxItems: 7, ...start }));
      found.push(...page.ResourceRecordSets!);
      if (page.IsTruncated !== true) break;
      start = {
        StartRecordName: page.NextRecordName,
        StartRecordType: page.NextRecordType,
        StartRecordIdentifier: page.NextRecordIdentifier,
      };
    }
    expect(found.slice(2).map((set) => set.SetIdentifier)).toEqual(sets.map((set) => set.SetIdentifier).sort());
  });

  test("a refused batch is an InvalidChangeBatch in one form, and in the other what the client makes of it", async () => {
    const HostedZoneId = emulator.addZone("example.org");
    const outside = [{ Name: "www.example.net.", Type: "A" as const, ...address }];
    const error = await failure(changeSets(HostedZoneId, "CREATE", outside));
    expect(error).toBeInstanceOf(InvalidChangeBatch);
    expect(error.message).toBe("[RRSet with DNS name www.example.net. is not permitted in zone example.org.]");
    emulator.knobs.invalidChangeBatchForm = "Messages";
    const bare = await failure(changeSets(HostedZoneId, "CREATE", outside));
    expect(bare.$metadata.httpStatusCode).toBe(400);
    expect(bare.name).toMatch(/^(Unknown|InvalidChangeBatch)/);
    emulator.knobs.invalidChangeBatchForm = "ErrorResponse";
  });

  test("the waiter waits until a change is everywhere, and retries get through", async () => {
    const HostedZoneId = emulator.addZone("example.org");
    emulator.knobs.propagationMilliseconds = 60_000;
    const { ChangeInfo } = await changeSets(HostedZoneId, "UPSERT", [{ Name: "www.example.org.", Type: "A", ...address }]);
    const patient = clientOf(4);
    emulator.inject({ kind: "Error", status: 400, code: "Throttling", message: "Rate exceeded", times: 2 });
    expect((await patient.send(new GetChangeCommand({ Id: ChangeInfo!.Id! }))).ChangeInfo?.Status).toBe("PENDING");
    time += 60_000;
    const outcome = await waitUntilResourceRecordSetsChanged(
      { client: patient, maxWaitTime: 60, minDelay: 1, maxDelay: 1 },
      { Id: ChangeInfo!.Id! },
    );
    expect(outcome.state).toBe("SUCCESS");
    patient.destroy();
  });
});
