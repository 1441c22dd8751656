/**
 * Acts on each item, so many at a time. After the first fault, which is thrown, no further item is
 * begun.
 */
export async function eachOf<Item>(
  items: Iterable<Item>,
  act: (item: Item) => Promise<unknown>,
  { parallel }: { readonly parallel: number },
): Promise<void> {
  const rest = items[Symbol.iterator]();
  let failed = false;
  const lane = async () => {
    for (let next = rest.next(); !next.done && !failed; next = rest.next()) {
      await act(next.value).catch((error) => {
        failed = true;
        throw error;
      });
    }
  };
  await Promise.all(Array.from({ length: parallel }, lane));
}
