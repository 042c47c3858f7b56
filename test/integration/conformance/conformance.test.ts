/** The conformance suite: one chapter for each RFC, each test named by its section, over both transports and both address families. */
import { conformance } from "../../support/conformance/suite.ts";
import { rfc1034 } from "./rfc1034.ts";
import { rfc1035 } from "./rfc1035.ts";
import { rfc2308 } from "./rfc2308.ts";
import { rfc4343 } from "./rfc4343.ts";
import { rfc4592 } from "./rfc4592.ts";
import { rfc5001 } from "./rfc5001.ts";
import { rfc6891 } from "./rfc6891.ts";
import { rfc7766 } from "./rfc7766.ts";
import { rfc7871 } from "./rfc7871.ts";
import { rfc7873 } from "./rfc7873.ts";
import { rfc8482 } from "./rfc8482.ts";
import { rfc8906 } from "./rfc8906.ts";
import { rfc8914 } from "./rfc8914.ts";
import { rfc9460 } from "./rfc9460.ts";
import { tools } from "./tools.ts";

const NSID = "fra-1";
const VERSION = "a test";

conformance(
  {
    "RFC 1034": rfc1034,
    "RFC 1035": rfc1035,
    "RFC 2308": rfc2308,
    "RFC 4343": rfc4343,
    "RFC 4592": rfc4592,
    "RFC 5001": rfc5001(NSID, VERSION),
    "RFC 6891": rfc6891,
    "RFC 7766": rfc7766,
    "RFC 7871": rfc7871,
    "RFC 7873": rfc7873,
    "RFC 8482": rfc8482,
    "RFC 8906": rfc8906,
    "RFC 8914": rfc8914,
    "RFC 9460": rfc9460,
    "dig and kdig": tools,
  },
  ...["--nsid", NSID, "--version-bind", VERSION],
);
