/**
 * Quotas and rates of an account, as documented; the options of the emulator change them.
 *
 * @see https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html
 * @see https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/throttling-api-requests.html
 */

export interface Quotas {
  readonly hostedZones: number;
  readonly recordSetsPerZone: number;
  readonly valuesPerRecordSet: number;
  /** Sets of one name and type, for every policy but the next. */
  readonly setsPerGroup: number;
  readonly geoproximitySetsPerGroup: number;
  readonly healthChecks: number;
  readonly childHealthChecks: number;
  readonly cidrCollections: number;
  readonly cidrBlocksPerCollection: number;
  readonly reusableDelegationSets: number;
  readonly zonesPerDelegationSet: number;
  readonly vpcsPerZone: number;
}

export const DEFAULT_QUOTAS: Quotas = {
  hostedZones: 500,
  recordSetsPerZone: 10_000,
  valuesPerRecordSet: 400,
  setsPerGroup: 100,
  geoproximitySetsPerGroup: 30,
  healthChecks: 200,
  childHealthChecks: 255,
  cidrCollections: 5,
  cidrBlocksPerCollection: 1000,
  reusableDelegationSets: 100,
  zonesPerDelegationSet: 100,
  vpcsPerZone: 300,
};

/** Of one ChangeResourceRecordSets. An alias counts as one ResourceRecord, and all of an UPSERT counts twice. */
export const MAX_BATCH_RECORDS = 1000;
export const MAX_BATCH_VALUE_CHARACTERS = 32_000;
/** Of one value. */
export const MAX_VALUE_CHARACTERS = 4000;

export const MAX_PAGE_RECORD_SETS = 300;
export const DEFAULT_PAGE_RECORD_SETS = 100;
export const MAX_PAGE_ZONES = 100;
export const MAX_PAGE_HEALTH_CHECKS = 1000;
export const DEFAULT_PAGE_HEALTH_CHECKS = 100;
export const MAX_PAGE_CIDR = 100;

/** Tokens that a bucket holds, and that it gains every second. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

export interface Rates {
  /** All requests of the account. */
  readonly account: Rate;
  /** Each action that `actions` does not name. */
  readonly action: Rate;
  readonly actions: Readonly<Record<string, Rate>>;
  /** Changes of record sets. AWS publishes no size: this one is ours. */
  readonly changes: Rate;
}

export const DEFAULT_RATES: Rates = {
  account: { burst: 50, perSecond: 10 },
  action: { burst: 50, perSecond: 10 },
  actions: {
    ChangeCidrCollection: { burst: 40, perSecond: 5 },
    CreateCidrCollection: { burst: 40, perSecond: 5 },
    DeleteCidrCollection: { burst: 40, perSecond: 5 },
    CreateHealthCheck: { burst: 50, perSecond: 0.5 },
    DeleteHealthCheck: { burst: 15, perSecond: 3 },
    GetHealthCheckStatus: { burst: 4, perSecond: 1 },
    CreateHostedZone: { burst: 40, perSecond: 2 },
    DeleteHostedZone: { burst: 40, perSecond: 5 },
    CreateReusableDelegationSet: { burst: 40, perSecond: 2 },
    DeleteReusableDelegationSet: { burst: 40, perSecond: 5 },
  },
  changes: { burst: 2000, perSecond: 200 },
};
