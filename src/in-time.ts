/** Waits for an act, but no longer than so many milliseconds; what it comes to later, nobody hears. Throws its fault. */
export async function inTime(act: Promise<unknown>, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, milliseconds);
  });
  await Promise.race([act, late]).finally(() => clearTimeout(timer));
}
