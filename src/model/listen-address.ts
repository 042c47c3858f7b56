/** Where a listener stands, and the error of one that cannot be opened, told so that the operator knows what to change. */

export interface ListenAddress {
  /** An IP address of this machine; `0.0.0.0` and `::` mean all of a family. */
  readonly address: string;
  /** 0 = any free port. */
  readonly port: number;
}

/** `192.0.2.1:80`, `[2001:db8::1]:80`. */
export const formatListenAddress = ({ address, port }: ListenAddress): string =>
  address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;

export class ListenError extends Error {
  readonly code: "address-in-use" | "address-unavailable" | "not-permitted" | "failed";

  /**
   * @param what the listener, for the message: `admin API`, `DNS over UDP`
   * @param flag the option that moves it: `--admin`
   */
  constructor(what: string, listen: ListenAddress, flag: string, cause: unknown) {
    const [code, fact, remedy] = diagnose(systemCode(cause), listen, flag, cause);
    super(`${what}: ${formatListenAddress(listen)} ${fact}. ${remedy}`, { cause });
    this.code = code;
  }
}

/** `EADDRINUSE` and its like; empty when the cause is no system error. */
export const systemCode = (cause: unknown): string => (cause instanceof Error && "code" in cause ? String(cause.code) : "");

function diagnose(system: string, { port }: ListenAddress, flag: string, cause: unknown): [ListenError["code"], string, string] {
  switch (system) {
    case "EADDRINUSE":
      return ["address-in-use", "is in use", `Stop the program that holds it (ss -lunpt shows it), or choose another with ${flag}.`];
    case "EADDRNOTAVAIL":
      return ["address-unavailable", "is no address of this machine", `Choose one with ${flag}.`];
    case "EACCES":
    case "EPERM":
      return [
        "not-permitted",
        "may not be opened",
        `Ports below 1024 need a privilege: choose a port above ${Math.max(port, 1023)} with ${flag}, or grant CAP_NET_BIND_SERVICE.`,
      ];
    default:
      return ["failed", `cannot be opened (${cause instanceof Error ? cause.message : cause})`, `Choose another with ${flag}.`];
  }
}
