/**
 * When a CustomResourceDefinition is deleted, or the whole store is made anew, the API server tells that every object of the kind is gone. Nobody
 * deleted those objects, and what they published must stay (docs/safety.md, rule 11). This keeps them until they are there again, or until
 * somebody confirms that they are to go.
 */
import type { KubeApi } from "./kube/kube-api.ts";
import { type KubeObject, objectKey, type Resource } from "./kube/kube-object.ts";
import type { KubePorts } from "./kube/kube-ports.ts";
import { NAMESPACES } from "./kube/resources.ts";
import { isKindGoing } from "./kube/served-resource.ts";

export interface LostKind {
  /** What the watch has seen. */
  changed(objects: Iterable<KubeObject>): void;
  vanished(objects: readonly KubeObject[]): void;
  /** Whether the API server has the kind at all. */
  served(isServed: boolean): void;
  /** Objects that have vanished and are kept. */
  kept(): readonly KubeObject[];
  /** How many of them are kept for good, and not just until it is known why they vanished. */
  held(): number;
  /** Lets them go. @returns how many they were */
  confirm(): number;
  close(): void;
}

export interface LostKindOptions {
  readonly api: Pick<KubeApi, "request" | "get">;
  readonly resource: Resource;
  readonly ports: KubePorts;
  /** {@link LostKind.kept} is another list now. */
  readonly onChange: () => void;
}

/** The server tells of deleted objects before its list of kinds tells that the kind itself is going; by then it does, ms. */
const LOOK = 300;
const RETRY = 1000;

export function createLostKind({ api, resource, ports, onChange }: LostKindOptions): LostKind {
  const held = new Map<string, KubeObject>();
  /** Vanished, and nobody knows yet whether their kind is going. */
  const doubted = new Map<string, KubeObject>();
  let isMissing = false;
  let isLooking = false;
  let isClosed = false;
  let cancel = () => {};
  let list: readonly KubeObject[] = [];
  /** UID of the namespace kube-system, which says which store it is. */
  let identity: string | undefined;
  let isLearning = false;

  async function readIdentity(): Promise<string | undefined> {
    return (await api.get(NAMESPACES, undefined, "kube-system"))?.metadata.uid;
  }

  /** With the first objects; when it fails, with the next. */
  async function learnIdentity(): Promise<void> {
    if (identity !== undefined || isLearning) return;
    isLearning = true;
    identity = await readIdentity().catch(() => undefined);
    isLearning = false;
  }

  function tell(): void {
    list = [...held.values(), ...doubted.values()];
    onChange();
  }

  function hold(): void {
    for (const [key, object] of doubted) held.set(key, object);
    doubted.clear();
  }

  function lookAfter(delay: number): void {
    if (isLooking || isClosed) return;
    isLooking = true;
    cancel = ports.setTimer(delay, () => void look());
  }

  async function look(): Promise<void> {
    const asked = [...doubted.keys()];
    try {
      const mayStay = (await isAnother()) || (await isKindGoing(api, resource));
      if (isClosed) return;
      if (mayStay) hold();
      else for (const key of asked) doubted.delete(key);
      isLooking = false;
      if (doubted.size > 0) lookAfter(LOOK); // they vanished while it was asked
      tell();
    } catch {
      isLooking = false;
      lookAfter(RETRY);
    }
  }

  /** Whether the store is another one than that whose objects vanished. */
  async function isAnother(): Promise<boolean> {
    const before = identity;
    identity = (await readIdentity()) ?? before;
    return before !== undefined && identity !== before;
  }

  return {
    changed(objects) {
      void learnIdentity();
      const before = held.size + doubted.size;
      if (before === 0) return;
      for (const object of objects) {
        held.delete(objectKey(object));
        doubted.delete(objectKey(object));
      }
      if (held.size + doubted.size !== before) tell();
    },
    vanished(objects) {
      if (objects.length === 0) return;
      for (const object of objects) (isMissing ? held : doubted).set(objectKey(object), object);
      if (doubted.size > 0) lookAfter(LOOK);
      tell();
    },
    served(isServed) {
      isMissing = !isServed;
      if (!isMissing || doubted.size === 0) return;
      hold();
      tell();
    },
    kept: () => list,
    held: () => held.size,
    confirm() {
      const count = held.size;
      held.clear();
      if (count > 0) tell();
      return count;
    },
    close() {
      isClosed = true;
      cancel();
    },
  };
}
