import { expect, test } from "vitest";
import { siteFailure } from "./demo.ts";
import { SiteError } from "./supervisor.ts";
import { SITES } from "./world.ts";

const site = SITES[2]!;

test.each([
  { platform: "darwin", command: "sudo ifconfig lo0 alias 127.0.10.5 up" },
  { platform: "linux", command: "sudo ip address add 127.0.10.5/8 dev lo" },
] as const)("on $platform a missing address ends with 2 and the commands that mend it", ({ platform, command }) => {
  const { exitCode, message } = siteFailure(new SiteError("no-address", site, 8080, "this machine does not have the address."), platform);
  expect(exitCode).toBe(2);
  expect(message.split("\n")).toHaveLength(1 + SITES.length);
  expect(message).toContain("ap-northeast cannot start at 127.0.10.3:8080: this machine does not have the address.");
  expect(message).toContain(command);
});

test("any other failure ends with 1 and says what it is", () => {
  const error = new SiteError("port-taken", site, 8080, "the port is taken.");
  expect(siteFailure(error, "darwin")).toMatchObject({ exitCode: 1, message: error.message, cause: error });
});
