/** Something that is opened at its first use, and stays open. */
export interface Reopenable<Part> {
  get(): Promise<Part>;
  /** What is open or being opened; undefined where nothing is. */
  opened(): Promise<Part> | undefined;
  /** Makes the next call open it again. */
  forget(): void;
}

/** If opening fails, the next call tries again. Each attempt is added to `attempts`, if given. */
export function reopenable<Part>(open: () => Promise<Part>, attempts?: Promise<unknown>[]): Reopenable<Part> {
  let opened: Promise<Part> | undefined;
  const forget = () => {
    opened = undefined;
  };
  const get = () => {
    if (opened) return opened;
    const mine = open();
    opened = mine;
    attempts?.push(mine);
    mine.catch(() => {
      if (opened === mine) forget();
    });
    return mine;
  };
  return { get, opened: () => opened, forget };
}
