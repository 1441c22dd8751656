import { eachOf } from '../../each-of.ts';

/**
 * What `read` returns of each item, in their order; so many at a time, and the first fault is
 * thrown, as by {@link eachOf}.
 */
export async function fromEach<Item, Result>(
  items: readonly Item[],
  read: (item: Item) => Promise<Result>,
  limit: { readonly parallel: number },
): Promise<Result[]> {
  const results: Result[] = [];
  await eachOf(
    items.entries(),
    async ([index, item]) => {
      results[index] = await read(item);
    },
    limit,
  );
  return results;
}
