import { expect, test } from "vitest";
import type { KubeObject } from "../kube/kube-object.ts";
import type { Sources } from "./peer-messages.ts";
import { createSourcesBook } from "./sources-book.ts";

const ingress = (i: number): KubeObject => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { name: `i${i}`, namespace: "web" },
});
const part = (from: number, to: number, more: Partial<Sources>): Sources => ({
  type: "sources",
  kind: "Ingress",
  isCurrent: true,
  isFirst: false,
  isLast: false,
  objects: Array.from({ length: to - from }, (_, i) => ingress(from + i)),
  ...more,
});

test("a list counts when its last part has come", () => {
  const book = createSourcesBook();
  expect(book.hear("eu", part(0, 2, { isFirst: true }))).toBe(false);
  expect(book.clusters()).toEqual([]);
  expect(book.hear("eu", part(2, 3, { isLast: true }))).toBe(true);
  expect(book.clusters()[0]?.objects.Ingress).toHaveLength(3);
});

test("one that is too long does not count in part: what is missing of it would be taken for deleted", () => {
  const book = createSourcesBook();
  book.hear("eu", part(0, 3, { isFirst: true, isLast: true }));
  book.hear("eu", part(0, 49_990, { isFirst: true }));
  book.hear("eu", part(49_990, 50_010, {}));
  expect(book.hear("eu", part(50_010, 50_011, { isLast: true }))).toBe(false);
  expect(book.clusters()[0]?.objects.Ingress).toHaveLength(3);
  expect(book.hear("eu", part(0, 1, { isFirst: true, isLast: true }))).toBe(true);
});
