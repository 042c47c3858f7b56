/** Places that record sets may name: regions of AWS, and continents, countries and their parts. */

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Regions of latency records. @see https://docs.aws.amazon.com/Route53/latest/APIReference/API_ResourceRecordSet.html */
export const LATENCY_REGIONS = words(`
  us-east-1 us-east-2 us-west-1 us-west-2 ca-central-1 ca-west-1 mx-central-1 sa-east-1 us-gov-east-1 us-gov-west-1
  eu-west-1 eu-west-2 eu-west-3 eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eusc-de-east-1
  ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 ap-southeast-5 ap-southeast-6 ap-southeast-7
  ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-east-1 ap-east-2 ap-south-1 ap-south-2 cn-north-1 cn-northwest-1
  me-south-1 me-central-1 il-central-1 af-south-1`);

/** Where health checkers are. @see https://docs.aws.amazon.com/Route53/latest/APIReference/API_HealthCheckConfig.html */
export const CHECKER_REGIONS = [
  "us-east-1",
  "us-west-1",
  "us-west-2",
  "eu-west-1",
  "ap-southeast-1",
  "ap-southeast-2",
  "ap-northeast-1",
  "sa-east-1",
] as const;

/** `us-east-1-bue-1`: the name of a local zone without its last letter. */
export const isLocalZoneGroup = (group: string): boolean => {
  const [, region = ""] = /^(.+)-[a-z]{3}-\d+$/.exec(group) ?? [];
  return LATENCY_REGIONS.has(region);
};

export const CONTINENTS = words("AF AN AS EU NA OC SA");

/**
 * Countries of geolocation records. BV, CX, EH and HM are documented as not supported.
 *
 * @see https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/resource-record-sets-values-geo.html
 */
export const COUNTRIES = words(`
  AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG ER ET GA GH GM GN GQ GW KE KM LR LS LY MA MG ML MR MU MW MZ NA NE NG RE RW SC SD SH SL SN SO SS ST SZ
  TD TG TN TZ UG YT ZA ZM ZW
  AQ GS TF
  AE AF AM AZ BD BH BN BT CC CN GE HK ID IL IN IO IQ IR JO JP KG KH KP KR KW KZ LA LB LK MM MN MO MV MY NP OM PH PK PS QA SA SG SY TH TJ TM TW UZ
  VN YE
  AD AL AT AX BA BE BG BY CH CY CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU LV MC MD ME MK MT NL NO PL PT RO RS RU SE SI SJ
  SK SM TR UA VA XK
  AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ MS MX NI PA PM PR SV SX TC TT US VC VG VI
  AS AU CK FJ FM GU KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TL TO TV UM VU WF WS
  AR BO BR CL CO EC FK GF GY PE PY SR UY VE`);

/** Parts of countries: states of the United States as the post abbreviates them, and ISO 3166-2 for Ukraine. No other country has any here. */
export const SUBDIVISIONS: Readonly<Record<string, ReadonlySet<string>>> = {
  US: words(`
    AL AK AZ AR CA CO CT DE DC FL GA HI ID IL IN IA KS KY LA ME MD MA MI MN MS MO MT NE NV NH NJ NM NY NC ND OH OK OR PA RI SC SD TN TX UT VT VA
    WA WV WI WY`),
  UA: words("05 07 09 12 14 18 21 23 26 30 32 35 40 43 46 48 51 53 56 59 61 63 65 68 71 74 77"),
};

/**
 * Hosted zones of AWS's own services, which aliases may name: CloudFront, Global Accelerator, and load balancers of some regions. The rest is an
 * option of the emulator.
 *
 * @see https://docs.aws.amazon.com/general/latest/gr/elb.html
 */
export const CLOUDFRONT_ZONE = "Z2FDTNDATAQYW2";
export const SERVICE_ZONES: readonly string[] = [
  ...words(`
    ${CLOUDFRONT_ZONE} Z2BJ6XQ5FK7U4H
    Z35SXDOTRQ7X7K Z26RNL4JYFTOTI Z3AADJGX6KTTL2 ZLMOA37VPKANP Z368ELLRRE2KJ0 Z24FKFUX50B4VW Z1H1FL5HABSF5 Z18D5FSROUN65G
    Z32O12XQLNTSW2 Z2IFOLAFXWLO4F ZHURV8PSTC4K8 ZD4D7Y8KGAS4G Z215JYRZR1TBD5 Z3F0SRJ5LGBH90 Z1LMS91P8CMLE5 ZKVM4W9LS7TM
    Z14GRHDCWA56QT Z31USIVHYNEOWT Z1GM3OXH4ZPM65 ZCT6FZBF4DROD Z2P70J7HTTTPLU ZTK26PT1VY4CU ZQSVJUPU6J1EY Z2EPGBW3API2WT`),
];
