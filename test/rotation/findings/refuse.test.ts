import { expect, test } from 'vitest';
import { fact } from '../../../src/facts/fact.ts';
import { isFault } from '../../../src/facts/fault.ts';
import { command, sql } from '../../../src/facts/remedy.ts';
import { tell } from '../../../src/messages/tell.ts';
import { isTransient } from '../../../src/rotation/failure.ts';
import { finding } from '../../../src/rotation/findings/finding.ts';
import { refuse } from '../../../src/rotation/findings/refuse.ts';

const EXPIRED = fact('login-expired', { login: 'app_b' }, sql('ALTER ROLE app_b VALID UNTIL infinity'));
const STANDBY = fact('server-is-standby', { server: 'db:5432' });
const LIMITED = fact(
  'login-connection-limit-zero',
  { login: 'app_b' },
  sql('ALTER ROLE app_b CONNECTION LIMIT -1'),
);

function refusalOf(...args: Parameters<typeof refuse>) {
  try {
    refuse(...args);
  } catch (error) {
    if (isFault(error, 'check-refused')) return error;
    throw error;
  }
  return undefined;
}

test('what stops a rotation is one fault of all facts, with their statements together at its end', () => {
  const refusal = refusalOf([
    finding('fail', 'logins', EXPIRED),
    finding('warn', 'grace', fact('grace-zero', { policy: 'app' })),
    finding('fail', 'server', STANDBY),
    finding('fail', 'logins', LIMITED),
  ]);
  const statements = ['ALTER ROLE app_b VALID UNTIL infinity', 'ALTER ROLE app_b CONNECTION LIMIT -1'];
  expect(refusal?.fact).toEqual({
    code: 'check-refused',
    params: { findings: [EXPIRED, STANDBY, LIMITED] },
    remedies: [{ kind: 'sql', statements }],
  });
  expect(refusal && tell(refusal.fact)).toBe(
    `The login app_b is past its VALID UNTIL; db:5432 is a standby server, where logins cannot be altered; point the connection at the primary; The login app_b has CONNECTION LIMIT 0, so nobody can log in as it; run: ${statements.join('; ')}`,
  );
});

test('a command that puts a finding right stays with it', () => {
  const refusal = refusalOf([
    finding('fail', 'schedule', fact('slot-overdue', { slot: '2026-01-05T02:30:00.000Z' }, command('start'))),
    finding('fail', 'logins', EXPIRED),
  ]);
  expect(refusal && tell(refusal.fact)).toMatch(
    /; run: keyturn start; The login app_b is past .*; run: ALTER ROLE/,
  );
});

test('a refusal is not retried, and warnings refuse nothing', () => {
  expect(isTransient(refusalOf([finding('fail', 'server', STANDBY)]))).toBe(false);
  expect(refusalOf([finding('warn', 'server', STANDBY), finding('skip', 'server', STANDBY)])).toBeUndefined();
});
