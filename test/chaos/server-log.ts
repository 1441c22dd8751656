import type { MovingTarget } from './moving-target.ts';

interface Line {
  /** Milliseconds since the epoch, by the server's clock. */
  readonly at: number;
  readonly pid: string;
  readonly text: string;
}

/**
 * Whether keyturn proved a login in between: it was let in, and began to ask before the end. What PostgreSQL compares the
 * password with it reads in the meantime, so a proof may be reported after the password has changed.
 */
export async function wasProven(
  target: MovingTarget,
  login: string,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<boolean> {
  const began = new Map<string, number>();
  for (const { at, pid, text } of await linesOf(target)) {
    if (text.includes('connection received: ')) began.set(pid, at);
    const isProof =
      text.includes(`connection authorized: user=${login} `) && text.includes('application_name=keyturn');
    if (isProof && at >= from && (began.get(pid) ?? at) <= to) return true;
  }
  return false;
}

/** Whether somebody let a login in with a password, at an instant in between. */
export async function wasSet(
  target: MovingTarget,
  login: string,
  { from, to }: { readonly from: number; readonly to: number },
): Promise<boolean> {
  const said = `ALTER ROLE "${login}" LOGIN`;
  return (await linesOf(target)).some(({ at, text }) => at >= from && at <= to && text.includes(said));
}

async function linesOf(target: MovingTarget): Promise<Line[]> {
  const lines: Line[] = [];
  for (const text of (await target.log()).split('\n')) {
    const [, day, time, pid = ''] =
      /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d\.\d{3}) UTC \[(\d+)\] /.exec(text) ?? [];
    if (day !== undefined) lines.push({ at: Date.parse(`${day}T${time}Z`), pid, text });
  }
  return lines;
}
