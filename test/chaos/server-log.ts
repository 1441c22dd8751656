import type { MovingTarget } from './moving-target.ts';

interface Line {
  /** Milliseconds since the epoch, by the server's clock. */
  readonly at: number;
  readonly text: string;
}

/** Whether keyturn logged in as a login, at an instant in between; milliseconds since the epoch. */
export async function wasProven(
  target: MovingTarget,
  login: string,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<boolean> {
  const lines = await linesBetween(target, from, to);
  const said = `connection authorized: user=${login} `;
  return lines.some(({ text }) => text.includes(said) && text.includes('application_name=keyturn'));
}

/** Whether somebody let a login in with a password, at an instant in between. */
export async function wasSet(
  target: MovingTarget,
  login: string,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<boolean> {
  const lines = await linesBetween(target, from, to);
  return lines.some(({ text }) => text.includes(`ALTER ROLE "${login}" LOGIN`));
}

async function linesBetween(target: MovingTarget, from: number, to: number): Promise<Line[]> {
  const lines: Line[] = [];
  for (const text of (await target.log()).split('\n')) {
    const [, day, time] = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d{3}) UTC /.exec(text) ?? [];
    if (day === undefined) continue;
    const at = Date.parse(`${day}T${time}Z`);
    if (at >= from && at <= to) lines.push({ at, text });
  }
  return lines;
}
