import { type HbaRule, hbaRules } from '../postgres/connection/hba-rules.ts';
import { readLogins } from '../postgres/logins/login.ts';
import type { RotationView } from '../rotation/context/rotation-context.ts';
import type { Finding } from '../rotation/findings/finding.ts';

/**
 * Methods of pg_hba.conf that do not go by the password which a rotation sets, or hand it over in the clear. `peer` is not
 * among them: it takes an account of the server's own machine, and Debian's default has it.
 */
const WRONG: Readonly<Record<string, string>> = {
  trust: 'without a password, so a leaked one that was rotated is not missed',
  password: 'by a password that crosses the network in the clear',
  ldap: 'by a password of a directory, not the one that keyturn sets',
  radius: 'by a password of a RADIUS server, not the one that keyturn sets',
  pam: 'by a password that PAM checks, not the one that keyturn sets',
  bsd: 'by a password of the operating system, not the one that keyturn sets',
  ident: 'by the name that their machine says they have there, not the password that keyturn sets',
  cert: 'by a client certificate, not the password that keyturn sets',
  gss: 'by Kerberos, not the password that keyturn sets',
  sspi: 'by Windows, not the password that keyturn sets',
  oauth: 'by a token, not the password that keyturn sets',
};

/** How pg_hba.conf lets the logins in, where the rotator may read it. */
export async function hbaFindings({ policy, rotator }: RotationView): Promise<Finding[]> {
  const about = 'pg_hba';
  const client = await rotator();
  const there = [...(await readLogins(client, policy.logins)).keys()];
  const found = await hbaRules(client, there);
  if (!found) {
    return [{ level: 'skip', about, text: 'the rotator may not read pg_hba.conf, as is usual' }];
  }
  const lines = new Map<string, HbaRule[]>();
  for (const rule of found.rules) {
    if (!(rule.method in WRONG)) continue;
    const place = `${rule.file} ${rule.line}`;
    lines.set(place, [...(lines.get(place) ?? []), rule]);
  }
  const wrong = [...lines.values()].map((rules): Finding => {
    const [{ file, line, from, method } = { file: '', line: 0, from: '', method: '' }] = rules;
    return {
      level: 'warn',
      about,
      text: `line ${line} of ${file} lets ${rules.map(({ login }) => login).join(' and ')} in from ${from} ${WRONG[method]}`,
      remedy: `in line ${line} of ${file} put scram-sha-256 in the place of ${method}`,
      sql: ['SELECT pg_catalog.pg_reload_conf()'],
    };
  });
  const broken = found.errors.map((error): Finding => {
    const text = `the server cannot read ${error}: it goes on by the file as it was before, and would not start`;
    return {
      level: 'warn',
      about,
      text,
      remedy: 'correct that line',
      sql: ['SELECT pg_catalog.pg_reload_conf()'],
    };
  });
  if (wrong.length + broken.length > 0) return [...broken, ...wrong];
  const peer = found.rules.some(({ method }) => method === 'peer')
    ? ", but for accounts of the server's own machine (peer)"
    : '';
  const text = `pg_hba.conf has no line that lets the logins in otherwise than by SCRAM${peer}`;
  return [{ level: 'ok', about, text }];
}
