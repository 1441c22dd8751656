import { fact } from '../facts/fact.ts';
import { sql } from '../facts/remedy.ts';
import { type HbaRule, hbaRules } from '../postgres/connection/hba-rules.ts';
import { readLogins } from '../postgres/logins/login.ts';
import type { PolicyView } from '../rotation/context/policy-view.ts';
import { type Finding, finding } from '../rotation/findings/finding.ts';

/**
 * Methods of pg_hba.conf that do not go by the password which a rotation sets, or have it sent in
 * the clear. `peer` is not among them: it takes an account of the server's own machine, and
 * Debian's default has it.
 */
const UNSAFE: ReadonlySet<string> = new Set([
  'trust',
  'password',
  'ldap',
  'radius',
  'pam',
  'bsd',
  'ident',
  'cert',
  'gss',
  'sspi',
  'oauth',
]);
/** Has the server read pg_hba.conf again, once it was edited. */
export const RELOAD = sql('SELECT pg_catalog.pg_reload_conf()');

/** How pg_hba.conf lets the logins in, where the rotator may read it. */
export async function hbaFindings({ policy, rotator }: PolicyView): Promise<Finding[]> {
  const client = await rotator();
  const logins = [...(await readLogins(client, policy.logins)).keys()];
  const found = await hbaRules(client, logins);
  if (!found) return [finding('skip', 'pg_hba', fact('hba-not-readable', {}))];
  const broken = found.broken.map((line) => fact('hba-line-broken', line, RELOAD));
  const unsafe = byLine(found.rules.filter(({ method }) => UNSAFE.has(method))).map(
    ([{ file, line, from, method }, named]) =>
      fact('hba-method-unsafe', { file, line, logins: named, from, method }, RELOAD),
  );
  const findings = [...broken, ...unsafe].map((each) => finding('warn', 'pg_hba', each));
  if (findings.length > 0) return findings;
  const peer = found.rules.some(({ method }) => method === 'peer');
  return [finding('ok', 'pg_hba', fact('hba-safe', { peer }))];
}

/** The rules of each line, of which one stands for all, and the logins that they are about. */
function byLine(rules: readonly HbaRule[]): [HbaRule, string[]][] {
  const lines = new Map<string, [HbaRule, string[]]>();
  for (const rule of rules) {
    const [first, logins] = lines.get(`${rule.file} ${rule.line}`) ?? [rule, []];
    lines.set(`${rule.file} ${rule.line}`, [first, [...logins, rule.login]]);
  }
  return [...lines.values()];
}
