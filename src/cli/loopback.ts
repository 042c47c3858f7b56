import { networkInterfaces } from "node:os";

/** @returns whether ::1 can be listened on; containers often have no IPv6 at all */
export const hasIpv6Loopback = (): boolean =>
  Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ address }) => address === "::1") === true);
