/** Something that is opened when it is first asked for, and stays open. */
export interface Reopenable<Part> {
  get(): Promise<Part>;
  /** Opens it anew at the next call. */
  forget(): void;
}

/**
 * What could not be opened is opened anew when it is asked for again. Each attempt is added to
 * `attempts`.
 */
export function reopenable<Part>(open: () => Promise<Part>, attempts: Promise<unknown>[]): Reopenable<Part> {
  let opened: Promise<Part> | undefined;
  const forget = () => {
    opened = undefined;
  };
  const get = () => {
    if (opened) return opened;
    const mine = open();
    opened = mine;
    attempts.push(mine);
    mine.catch(() => {
      if (opened === mine) forget();
    });
    return mine;
  };
  return { get, forget };
}
