/** Keys of zones are files that the pod mounts: read beside the objects that name them. */
import { readTransferKeys } from "../src/engine/read-transfer-keys.ts";
import { type LocatedObject, readZoneKeys } from "../src/engine/read-zone-keys.ts";
import type { SourceFile } from "../src/engine/source.ts";
import type { Zone } from "../src/model/inventory.ts";
import type { Problem } from "../src/model/problem.ts";
import type { ObjectReport, Reconciled } from "./reconcile/reconciled.ts";

export interface ZoneKeyFiles {
  /** Fills in what the files tell. A zone whose files cannot be used is reported, and stays as it was when they last could. */
  fill(reconciled: Reconciled): Reconciled;
  /** True when a file that was read, or looked for, is another one now. */
  areChanged(): boolean;
}

/** @param stampOf tells one state of a file from another (`fileStamp`) */
export function createZoneKeyFiles(stampOf: (path: string) => string): ZoneKeyFiles {
  let read: readonly SourceFile[] = [];
  let last: { readonly from: Reconciled; readonly to: Reconciled } | undefined;
  let served: ReadonlyMap<string, Zone> = new Map();
  const areChanged = (): boolean => read.some(({ path, stamp }) => stampOf(path) !== stamp);

  function fill(reconciled: Reconciled): Reconciled {
    const { zones } = reconciled.inventory;
    if (!zones.some(hasKeys)) {
      read = [];
      served = new Map();
      return reconciled;
    }
    if (last !== undefined && last.from === reconciled && !areChanged()) return last.to;
    const filled: Zone[] = [];
    const files: SourceFile[] = [];
    const faults = new Map<string, Problem>();
    const warnings: Problem[] = [];
    for (const zone of zones) {
      const objects = [objectOf(zone)];
      const signed = readZoneKeys([zone], objects);
      const transfer = readTransferKeys(signed.zones, objects);
      const problems = [...signed.problems, ...transfer.problems];
      const error = problems.find(({ severity }) => severity === "error");
      files.push(...signed.files, ...transfer.files);
      if (error !== undefined) faults.set(zone.name, error);
      warnings.push(...problems.map((problem): Problem => ({ ...problem, severity: "warning" })));
      const usable = transfer.zones[0] ?? served.get(zone.name);
      if (usable !== undefined) filled.push(usable);
    }
    read = files;
    served = new Map(filled.map((zone) => [zone.name, zone]));
    const to: Reconciled = {
      ...reconciled,
      inventory: { ...reconciled.inventory, zones: filled },
      problems: [...reconciled.problems, ...warnings],
      reports: reconciled.reports.map((report) => withFault(report, report.kind === "DNSZone" ? faults.get(report.name) : undefined)),
    };
    last = { from: reconciled, to };
    return to;
  }

  return { fill, areChanged };
}

const hasKeys = ({ dnssec, transfer, provider }: Zone): boolean => dnssec !== undefined || transfer !== undefined || provider !== undefined;

const objectOf = ({ name }: Zone): LocatedObject => ({
  kind: "DNSZone",
  namespace: "",
  name,
  locate: () => ({ file: `DNSZone ${name}`, line: 0, column: 0 }),
});

const withFault = (report: ObjectReport, fault: Problem | undefined): ObjectReport =>
  fault === undefined || report.accepted.status === "False"
    ? report
    : { ...report, accepted: { status: "False", reason: "KeyFile", message: `${fault.message}. ${fault.remedy}` } };
