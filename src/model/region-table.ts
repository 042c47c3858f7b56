/** Where the regions of clouds are: what a `MemberCluster` that names its cloud and region is looked up in. */

export interface Region {
  readonly city: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
  /** Two letters: AF AN AS EU NA OC SA. */
  readonly continent: string;
  /** Degrees. */
  readonly latitude: number;
  readonly longitude: number;
}

export interface RegionTable {
  /** @returns undefined when the table does not hold that region of that cloud */
  find(cloud: string, region: string): Region | undefined;
  /** The nearest spelling that {@link RegionTable.find} knows, as `cloud region`; undefined when nothing is near. */
  suggest(cloud: string, region: string): string | undefined;
}
