import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FORMAT_FIELDS, FORMATS, READABLE_FORMATS } from '../../src/formats/formats.ts';
import type { Login } from '../../src/formats/login.ts';
import { credentialIn, usernameIn } from '../../src/formats/told-by.ts';
import { userlistLine } from '../../src/formats/userlist.ts';

const LOGIN: Login = {
  username: 'orders_a',
  password: 'secret',
  host: 'db.internal',
  port: 5432,
  database: 'orders',
  sslmode: 'verify-full',
  service: 'orders-api',
  verifier: 'SCRAM-SHA-256$4096:c2FsdA==$a:b',
  plain: false,
};

test('each format is written as its programs expect it', () => {
  const login = { ...LOGIN, sslrootcert: '/etc/ssl/db.pem' };
  const url =
    'postgresql://orders_a:secret@db.internal:5432/orders?sslmode=verify-full&sslrootcert=%2Fetc%2Fssl%2Fdb.pem';
  expect(FORMATS.url.write(login)).toBe(url);
  expect(FORMATS.service.write(login)).toBe(
    '[orders-api]\nhost=db.internal\nport=5432\ndbname=orders\nuser=orders_a\npassword=secret\nsslmode=verify-full\nsslrootcert=/etc/ssl/db.pem\n',
  );
  expect(FORMATS.pgpass.write(login)).toBe('db.internal:5432:orders:orders_a:secret\n');
  expect(FORMATS.env.write(login)).toBe(
    `PGHOST=db.internal\nPGPORT=5432\nPGDATABASE=orders\nPGUSER=orders_a\nPGPASSWORD=secret\nPGSSLMODE=verify-full\nPGSSLROOTCERT=/etc/ssl/db.pem\nDATABASE_URL='${url}'\n`,
  );
  expect(FORMATS.userlist.write(login)).toBe('"orders_a" "SCRAM-SHA-256$4096:c2FsdA==$a:b"\n');
  expect(FORMATS.userlist.write({ ...login, plain: true })).toBe('"orders_a" "secret"\n');
});

test('an address with a certificate for a name has both, as in a URL', () => {
  const login = { ...LOGIN, host: 'db.example', hostaddr: '10.0.0.5' };
  expect(FORMATS.service.write(login)).toContain('host=db.example\nhostaddr=10.0.0.5\n');
  expect(FORMATS.env.write(login)).toContain('PGHOST=db.example\nPGHOSTADDR=10.0.0.5\n');
  expect(FORMATS.pgpass.write({ ...login, host: '::1' })).toBe('\\:\\:1:5432:orders:orders_a:secret\n');
});

const text = fc.string({ unit: 'binary', minLength: 1, maxLength: 24 });
const awkward = fc.string({
  unit: fc.constantFrom(...' \t:\\\'"$`#*[]=;%&?{}@/.,!~\u00e0\u00a0\u2003\u2028\n\r', 'a', 'Z', '0'),
  minLength: 1,
  maxLength: 12,
});
const anyText = fc.oneof(text, awkward);

test.each(FORMAT_FIELDS)('what %s does not refuse is read back as it was', (field) => {
  const { refuse, write, read } = FORMATS[field];
  fc.assert(
    fc.property(anyText, anyText, anyText, (username, password, database) => {
      const login = { ...LOGIN, username, password, database, plain: true };
      fc.pre(field !== 'url' || isWellFormed(`${username}${password}${database}`));
      if (refuse(login) === undefined) expect(read(write(login))).toEqual({ username, password });
    }),
    { numRuns: 2_000 },
  );
});

/** encodeURI refuses half a pair of UTF-16. No role and no password has one. */
function isWellFormed(value: string): boolean {
  return Buffer.from(value).toString() === value;
}

describe('A format refuses', () => {
  test.each([
    ['service', { password: 'two\nlines' }, { part: 'password', why: 'control-character' }],
    ['service', { password: 'blank ' }, { part: 'password', why: 'outer-blank' }],
    ['service', { username: '\u00a0blank' }, { part: 'username', why: 'outer-blank' }],
    ['service', { database: 'citt\u00e0' }, { part: 'database', why: 'outer-blank' }],
    ['service', { sslrootcert: `/${'x'.repeat(300)}` }, { part: 'sslrootcert', why: 'too-long' }],
    ['pgpass', { password: 'two\nlines' }, { part: 'password', why: 'control-character' }],
    ['pgpass', { host: '/var/run/postgresql' }, { part: 'host', why: 'socket' }],
    ['env', { password: 'a\\b' }, { part: 'password', why: 'backslash' }],
    ['env', { password: `it's $5` }, { part: 'password', why: 'both-quotes' }],
    ['env', { username: 'tab\there' }, { part: 'username', why: 'control-character' }],
    ['env', { database: "'\u2028PGUSER=eve\u2029" }, { part: 'database', why: 'control-character' }],
    ['userlist', { username: 'new\nline' }, { part: 'username', why: 'control-character' }],
    [
      'userlist',
      { password: `md5${'0'.repeat(32)}`, plain: true },
      { part: 'password', why: 'looks-like-verifier' },
    ],
  ] as const)('in %s %o', (field, change, refused) => {
    expect(FORMATS[field].refuse({ ...LOGIN, ...change })).toEqual(refused);
  });

  test('a verifier needs nothing of the password', () => {
    expect(FORMATS.userlist.refuse({ ...LOGIN, password: 'two\nlines' })).toBeUndefined();
  });
});

describe('What somebody wrote by hand is read', () => {
  test('in a service file with comments, blanks and a section after it', () => {
    const file =
      '# ours\n\n[orders]\n  host=db\n# user=nobody\nuser=orders_a  \npassword=a=b#c \n[other]\nuser=x\npassword=y\n';
    expect(FORMATS.service.read(file)).toEqual({ username: 'orders_a', password: 'a=b#c' });
  });

  test('in a password file with a comment, and in dotenv lines with export', () => {
    expect(FORMATS.pgpass.read('# ours\ndb:5432:*:orders_a:a\\:b\\\\c\n')).toEqual({
      username: 'orders_a',
      password: 'a:b\\c',
    });
    const lines = `export PGUSER="orders_a"\r\nPGPASSWORD = 'x'\nPGPASSWORD='a b'\n`;
    expect(FORMATS.env.read(lines)).toEqual({ username: 'orders_a', password: 'a b' });
  });

  test.each(READABLE_FORMATS)('but not in %s where it is something else', (field) => {
    for (const text of ['', '\n', 'orders_a', '[orders]\nuser=a', 'a:b:c', 'PGUSER=a', '{}']) {
      expect(FORMATS[field].read(text)).toBeUndefined();
    }
  });
});

test('a credential is found in whichever field has it', () => {
  for (const field of READABLE_FORMATS) {
    expect(credentialIn({ [field]: FORMATS[field].write(LOGIN) })).toEqual({
      username: 'orders_a',
      password: 'secret',
    });
  }
  const userlist = FORMATS.userlist.write(LOGIN);
  expect([credentialIn({ userlist }), usernameIn({ userlist })]).toEqual([undefined, 'orders_a']);
  expect(usernameIn({ username: 'orders_b', userlist })).toBe('orders_b');
  expect(credentialIn({ userlist, service: FORMATS.service.write(LOGIN) })).toMatchObject({
    password: 'secret',
  });
});

test('a userlist keeps the line of the login before, and of no earlier one', () => {
  const first = FORMATS.userlist.write(LOGIN);
  const before = userlistLine(first, 'orders_b');
  const second = FORMATS.userlist.write({ ...LOGIN, username: 'orders_b', ...(before ? { before } : {}) });
  expect(second.split('\n')).toEqual([
    '"orders_b" "SCRAM-SHA-256$4096:c2FsdA==$a:b"',
    '"orders_a" "SCRAM-SHA-256$4096:c2FsdA==$a:b"',
    '',
  ]);
  expect(userlistLine(second, 'orders_a')).toBe(second.split('\n')[0]);
  expect(userlistLine(second, 'orders_b')).toBeUndefined();
});
