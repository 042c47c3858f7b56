/** A binary min-heap of things that fall due. */
export interface Due {
  due: number;
}

export interface DueHeap<T extends Due> {
  push(item: T): void;
  /** The item that falls due first, left in place. */
  peek(): T | undefined;
  pop(): T | undefined;
  /** Replaces the whole content. */
  reset(items: readonly T[]): void;
}

export function createDueHeap<T extends Due>(): DueHeap<T> {
  let items: T[] = [];

  function sink(start: number): void {
    const item = items[start]!;
    let hole = start;
    for (let child = 2 * hole + 1; child < items.length; child = 2 * hole + 1) {
      if (child + 1 < items.length && items[child + 1]!.due < items[child]!.due) child++;
      if (items[child]!.due >= item.due) break;
      items[hole] = items[child]!;
      hole = child;
    }
    items[hole] = item;
  }

  return {
    push: (item) => {
      let hole = items.length;
      while (hole > 0) {
        const parent = (hole - 1) >> 1;
        if (items[parent]!.due <= item.due) break;
        items[hole] = items[parent]!;
        hole = parent;
      }
      items[hole] = item;
    },
    peek: () => items[0],
    pop: () => {
      const first = items[0];
      const last = items.pop();
      if (first !== undefined && last !== undefined && items.length > 0) {
        items[0] = last;
        sink(0);
      }
      return first;
    },
    reset: (content) => {
      items = [...content];
      for (let i = (items.length >> 1) - 1; i >= 0; i--) sink(i);
    },
  };
}
