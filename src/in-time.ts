/**
 * Waits for an act, but no longer than so many milliseconds. Throws its fault; a later result is
 * ignored.
 */
export async function inTime(act: Promise<unknown>, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([act, late]).finally(() => clearTimeout(timer));
}
