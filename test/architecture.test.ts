import { describe, expect, test } from "vitest";
import manifest from "../package.json" with { type: "json" };
import {
  ambientTime,
  circles,
  DEVELOPMENT,
  importDirection,
  impurities,
  PORTS,
  PURE,
  ROOMS,
  SOCKETS,
  staleEntries,
  strayNetwork,
  undeclaredPackages,
} from "./support/architecture.ts";
import { listFiles, readSource, sourceFile } from "./support/source-tree.ts";

const files = listFiles(ROOMS)
  .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts") && !path.includes("/support/"))
  .map(readSource);

describe("the rooms as they stand", () => {
  test("there is something to check", () => expect(files.length).toBeGreaterThan(50));
  test("imports go down only", () => expect(importDirection(files)).toEqual([]));
  test("no file imports itself by a detour", () => expect(circles(files)).toEqual([]));
  test("pure rooms import nothing from Node but types", () => expect(impurities(files)).toEqual([]));
  test("clocks, dice and timers are arguments", () => expect(ambientTime(files)).toEqual([]));
  test("only edges open sockets", () => expect(strayNetwork(files)).toEqual([]));
  test("product code imports declared packages only", () =>
    expect(undeclaredPackages(files, Object.keys(manifest.dependencies))).toEqual([]));
  test("tests that put something in a module's place are named for it: all others share their modules", () => {
    const mocking = listFiles(ROOMS).filter((path) => path.endsWith(".test.ts") && readSource(path).text.includes("vi.mock("));
    expect(mocking.filter((path) => !path.endsWith(".mocked.test.ts"))).toEqual([]);
  });
  test("every exception is still needed", () =>
    expect(staleEntries([...PURE, ...DEVELOPMENT, ...Object.keys(PORTS), ...Object.keys(SOCKETS)], files)).toEqual([]));
});

describe("each rule sees its violation and names it", () => {
  const ip = sourceFile("src/model/ip.ts", "export const a = 1;\n");
  const cases: readonly { name: string; rule: typeof importDirection; path: string; text: string; says: string }[] = [
    {
      name: "an import upwards",
      rule: importDirection,
      path: "src/geo/lookup.ts",
      text: '/* a comment */\nimport type {\n  Choice,\n} from "../routing/choose.ts";\n',
      says: "src/geo/lookup.ts:4 imports ../routing/choose.ts: src/geo may not import src/routing, imports go down only",
    },
    {
      name: "an import sideways",
      rule: importDirection,
      path: "health/monitor.ts",
      text: 'import { createTimeline } from "../src/observe/timeline.ts";\n',
      says: "health/monitor.ts:1 imports ../src/observe/timeline.ts: health may not import src/observe, imports go down only",
    },
    {
      name: "an import of test support",
      rule: importDirection,
      path: "src/dns/answer.ts",
      text: 'const x = await import("../../test/support/world.ts");\n',
      says: "src/dns/answer.ts:1 imports ../../test/support/world.ts: product code imports rooms only",
    },
    {
      name: "a circle",
      rule: circles,
      path: "src/model/units.ts",
      text: 'import type { A } from "./units.ts";\n',
      says: "src/model/units.ts → src/model/units.ts",
    },
    {
      name: "Node in a pure room",
      rule: impurities,
      path: "src/routing/compile.ts",
      text: 'import type { KeyObject } from "node:crypto";\nimport { createHash, type Hash } from "node:crypto";\n',
      says: "src/routing/compile.ts:2 imports node:crypto: a pure room imports nothing from Node but types",
    },
    {
      name: "the environment in a pure room",
      rule: impurities,
      path: "src/model/schema/route.ts",
      text: 'const at = "process.env";\nconst debug = process.env.DEBUG;\n',
      says: "src/model/schema/route.ts:2 uses process.env: a pure room takes what it needs as an argument",
    },
    {
      name: "a clock",
      rule: ambientTime,
      path: "src/engine/engine.ts",
      text: "// Date.now() in a comment is fine, new Date(at) too\nconst iso = new Date(at);\nconst then = Date.now();\n",
      says: "src/engine/engine.ts:3 uses Date.now: time and chance are arguments",
    },
    {
      name: "a timer",
      rule: ambientTime,
      path: "src/dns/flatten.ts",
      text: 'const url = "https://example.org"; setTimeout(f, 5);\n',
      says: "src/dns/flatten.ts:1 uses setTimeout: time and chance are arguments",
    },
    {
      name: "a socket",
      rule: strayNetwork,
      path: "src/engine/engine.ts",
      text: 'import type { Socket } from "node:net";\nimport { connect } from "node:net";\n',
      says: "src/engine/engine.ts:2 imports node:net: the network is an argument",
    },
  ];
  test.each(cases)("$name", ({ rule, path, text, says }) => expect(rule([ip, sourceFile(path, text)])).toEqual([says]));

  test("a longer circle is reported once, with its way round", () => {
    const a = sourceFile("src/model/a.ts", 'import { b } from "./b.ts";\n');
    const b = sourceFile("src/model/b.ts", 'import { c } from "./c.ts";\n');
    const c = sourceFile("src/model/c.ts", 'import { a } from "./a.ts";\nimport { ip } from "./ip.ts";\n');
    expect(circles([a, b, c, ip])).toEqual(["src/model/a.ts → src/model/b.ts → src/model/c.ts → src/model/a.ts"]);
  });

  test("what is allowed passes", () => {
    const choose = sourceFile("src/routing/choose.ts", 'import { a } from "../model/ip.ts";\nimport { z } from "zod";\n');
    for (const rule of [importDirection, circles, impurities, ambientTime, strayNetwork]) expect(rule([ip, choose])).toEqual([]);
  });

  test("a development package in product code is named, scope and all", () => {
    const log = sourceFile(
      "src/observe/log.ts",
      'import pretty from "pino-pretty/lib";\nimport x from "@scope/name/deep";\nimport y from "@scope/known/deep";\n',
    );
    expect(undeclaredPackages([log], ["@scope/known"])).toEqual([
      "src/observe/log.ts:1 imports pino-pretty/lib: it is not among the dependencies in package.json",
      "src/observe/log.ts:2 imports @scope/name/deep: it is not among the dependencies in package.json",
    ]);
  });

  test("an exception for a file that went away is stale", () =>
    expect(staleEntries(["src/model", "src/gone.ts"], [ip])).toEqual(["src/gone.ts"]));
});
