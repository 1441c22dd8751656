import { describe, expect, inject, test } from 'vitest';
import { connect } from '../../../src/postgres/connection/connect.ts';
import { inTransaction } from '../../../src/postgres/connection/in-transaction.ts';
import { quoteIdentifier } from '../../../src/postgres/identifier.ts';
import { disableLogin, enableLogin } from '../../../src/postgres/logins/login.ts';
import { scramVerifier } from '../../../src/postgres/logins/scram-verifier.ts';
import { adminOf } from '../../support/admin.ts';

describe('a SCRAM verifier', () => {
  test('equals the one that PostgreSQL itself makes from the same password and salt', async () => {
    await using admin = await adminOf(inject('postgres'));
    const role = quoteIdentifier('scram reference');
    await admin.client.query(`CREATE ROLE ${role} PASSWORD 'correct-horse'`);
    const { rows } = await admin.client.query(
      "SELECT rolpassword FROM pg_authid WHERE rolname = 'scram reference'",
    );
    await admin.client.query(`DROP ROLE ${role}`);
    const theirs: string = rows[0].rolpassword;
    const [, iterations, salt] = /^SCRAM-SHA-256\$(\d+):([^$]+)\$/.exec(theirs) ?? [];
    expect(scramVerifier('correct-horse', Buffer.from(String(salt), 'base64'), Number(iterations))).toBe(
      theirs,
    );
  });

  test('lets in with the password, with no other, and with none once the login is disabled (G1)', async () => {
    const server = inject('postgres');
    await using admin = await adminOf(server);
    const password = ' !"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~aZ09';
    const login = 'scram "login"';
    await admin.client.query(`CREATE ROLE ${quoteIdentifier(login)}`);
    await inTransaction(admin.client, () => enableLogin(admin.client, login, scramVerifier(password)));
    const target = { ...server, database: 'postgres', user: login, tls: { mode: 'disable' } } as const;
    {
      await using session = await connect({ ...target, password });
      expect(session.proven).toBe(true);
    }
    const refused = { fact: { code: 'login-refused', params: { because: 'password' } } };
    await expect(connect({ ...target, password: `${password}x` })).rejects.toMatchObject(refused);
    await inTransaction(admin.client, () => disableLogin(admin.client, login));
    // Without a verifier PostgreSQL asks for a password all the same, and refuses each.
    await expect(connect({ ...target, password })).rejects.toMatchObject(refused);
    await admin.client.query(`DROP ROLE ${quoteIdentifier(login)}`);
  });

  test('is refused for what SASLprep might change', () => {
    for (const password of ['', 'no-break\u00a0space', 'pässword', 'tab\t']) {
      expect(() => scramVerifier(password)).toThrow(RangeError);
    }
  });
});
