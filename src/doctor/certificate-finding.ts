import { counted } from '../counted.ts';
import type { Finding } from '../rotation/findings/finding.ts';

const DAY_MS = 24 * 60 * 60_000;
/** Days that are left when it is time to say so. */
const SOON = 30;

/** How long a certificate is still good; `what` names it, `now` is milliseconds since the epoch. */
export function certificateFinding(what: string, until: Date, now: number): Finding {
  const days = Math.floor((until.getTime() - now) / DAY_MS);
  const date = until.toISOString().slice(0, 10);
  const about = 'tls';
  if (days < 0) return { level: 'fail', about, text: `${what} expired on ${date}`, remedy: 'renew it' };
  const text = `${what} is valid for ${counted(days, 'more day')}, until ${date}`;
  return days < SOON ? { level: 'warn', about, text, remedy: 'renew it' } : { level: 'ok', about, text };
}
