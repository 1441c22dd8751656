export type Group<Item> = readonly [Item, ...Item[]];

/** Groups items that have the same key, in the order in which each key comes first. */
export function grouped<Item>(items: readonly Item[], keyOf: (item: Item) => unknown): Group<Item>[] {
  const groups = new Map<string, [Item, ...Item[]]>();
  for (const item of items) {
    const key = JSON.stringify(keyOf(item));
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return [...groups.values()];
}
