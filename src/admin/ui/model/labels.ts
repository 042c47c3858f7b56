/** Where names of clusters stand on the map without covering each other. */

export interface Mark {
  readonly name: string;
  readonly x: number;
  readonly y: number;
  /** Of the text, in the map's units. */
  readonly width: number;
  readonly height: number;
}

export interface Label {
  readonly name: string;
  /** Of the text's anchor, and its middle. */
  readonly x: number;
  readonly y: number;
  /** How wide it really is only the browser knows: it is anchored at the side of its mark. */
  readonly anchor: "start" | "middle" | "end";
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/**
 * Each mark gets the first place that is free: right, left, above, below, then the corners. What finds none has no label; its name is told
 * when it is pointed at, and in the list.
 *
 * @param marks  the most important first
 * @param radius of a mark
 */
export function placeLabels(
  marks: readonly Mark[],
  radius: number,
  bounds: { readonly width: number; readonly height: number },
): readonly Label[] {
  const taken: Box[] = marks.map(({ x, y }) => ({ left: x - radius, top: y - radius, right: x + radius, bottom: y + radius }));
  return marks.flatMap(({ name, x, y, width, height }, own) => {
    const gap = radius * 1.25;
    const candidates: readonly (readonly [anchor: Label["anchor"], x: number, y: number])[] = [
      ["start", x + gap, y],
      ["end", x - gap, y],
      ["middle", x, y - gap - height / 2],
      ["middle", x, y + gap + height / 2],
      ["start", x + gap * 0.7, y - gap - height / 4],
      ["start", x + gap * 0.7, y + gap + height / 4],
      ["end", x - gap * 0.7, y - gap - height / 4],
      ["end", x - gap * 0.7, y + gap + height / 4],
    ];
    for (const [anchor, at, middle] of candidates) {
      const left = anchor === "start" ? at : anchor === "end" ? at - width : at - width / 2;
      const box = { left, top: middle - height / 2, right: left + width, bottom: middle + height / 2 };
      if (box.left < 0 || box.right > bounds.width || box.top < 0 || box.bottom > bounds.height) continue;
      if (taken.some((other, i) => i !== own && overlaps(box, other))) continue;
      taken.push(box);
      return [{ name, x: at, y: middle, anchor }];
    }
    return [];
  });
}

const overlaps = (a: Box, b: Box): boolean => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
