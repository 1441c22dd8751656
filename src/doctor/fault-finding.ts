import type { Finding } from '../rotation/findings/finding.ts';

/** What was thrown while something was looked at, as a finding. Messages say what failed, then what mends it. */
export function faultFinding(about: string, error: unknown): Finding {
  const message = error instanceof Error ? error.message : String(error);
  const [text = '', ...remedy] = message.split('; ');
  return {
    level: 'fail',
    about,
    text,
    ...(remedy.length > 0 ? { remedy: remedy.join('; ') } : {}),
  };
}
