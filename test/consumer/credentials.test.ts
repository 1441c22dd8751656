import { inspect } from 'node:util';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Credential } from '../../src/consumer/credential.ts';
import { CredentialError } from '../../src/consumer/credential-error.ts';
import { type CredentialsOptions, openCredentials } from '../../src/consumer/credentials.ts';
import type { ReadCredential } from '../../src/consumer/source.ts';

const A = { username: 'app_a', password: 'secret of a', version: '1' };
const B = { username: 'app_b', password: 'secret of b', version: '2' };
const NEVER = 3_600_000;

/** Credentials whose source a test answers by hand, read by read. */
function open(options: CredentialsOptions = {}) {
  const reads: { answer(value: unknown): void; fail(error: unknown): void; signal: AbortSignal }[] = [];
  const errors: CredentialError[] = [];
  const read = ({ signal }: { signal: AbortSignal }) =>
    new Promise<ReadCredential>((resolve, reject) => {
      // A source that an application wrote may give anything.
      reads.push({ signal, answer: (value) => resolve(value as ReadCredential), fail: reject });
    });
  const credentials = openCredentials(
    { type: 'custom', read },
    { refreshEvery: NEVER, onError: (error) => errors.push(error), ...options },
  );
  onTestFinished(() => credentials.close());
  return { credentials, reads, errors };
}

async function opened(options?: CredentialsOptions) {
  const all = open(options);
  const first = all.credentials.current();
  all.reads[0]?.answer(A);
  await first;
  return all;
}

test('callers that ask at the same time share one read', async () => {
  const { credentials, reads } = open();
  const asked = [credentials.current(), credentials.current(), credentials.refresh()];
  expect(reads).toHaveLength(1);
  reads[0]?.answer(A);
  expect(await Promise.all(asked)).toEqual([A, A, A]);
  expect(await credentials.current()).toEqual(A);
  expect(reads).toHaveLength(1);
});

test('a credential that is due for a read is served at once, and read again in the background', async () => {
  const { credentials, reads } = await opened({ refreshEvery: 0 });
  await vi.waitFor(() => expect(reads).toHaveLength(2));
  expect(await credentials.current()).toEqual(A);
  expect(await credentials.current()).toEqual(A);
  expect(reads).toHaveLength(2);
  reads[1]?.answer(B);
  await vi.waitFor(async () => expect(await credentials.current()).toEqual(B));
});

test('a credential is read again without anybody asking, and listeners hear of a change only', async () => {
  const { credentials, reads } = await opened({ refreshEvery: 1 });
  const heard: Credential[] = [];
  const unsubscribe = credentials.onChange((credential) => heard.push(credential));
  await vi.waitFor(() => expect(reads).toHaveLength(2));
  reads[1]?.answer({ ...A, version: 'another version of the same login' });
  await vi.waitFor(() => expect(reads).toHaveLength(3));
  expect(heard).toEqual([]);
  reads[2]?.answer(B);
  await vi.waitFor(() => expect(reads).toHaveLength(4));
  expect(heard).toEqual([B]);
  unsubscribe();
  reads[3]?.answer(A);
  await vi.waitFor(() => expect(credentials.cached).toEqual(A));
  expect(heard).toEqual([B]);
});

test('while the source is away the last credential is served, and onError hears of each failure', async () => {
  const { credentials, reads, errors } = await opened({ refreshEvery: 1 });
  for (const read of [1, 2]) {
    await vi.waitFor(() => expect(reads).toHaveLength(read + 1));
    reads[read]?.fail(new Error('away'));
  }
  await vi.waitFor(() => expect(errors).toHaveLength(2));
  expect(errors.map(({ code }) => code)).toEqual(['source-failed', 'source-failed']);
  expect(await credentials.current()).toEqual(A);
  await vi.waitFor(() => expect(reads).toHaveLength(4));
  reads[3]?.answer(B);
  await vi.waitFor(() => expect(credentials.cached).toEqual(B));
});

test('without onError, one warning of the process tells of a source that is away', async () => {
  const warnings: Error[] = [];
  const hear = (warning: Error) => warnings.push(warning);
  process.on('warning', hear);
  onTestFinished(() => void process.off('warning', hear));
  let reads = 0;
  const read = async () => {
    reads += 1;
    if (reads === 1) return A;
    throw new Error(A.password);
  };
  const credentials = openCredentials({ type: 'custom', read }, { refreshEvery: 1 });
  onTestFinished(() => credentials.close());
  await credentials.current();
  await vi.waitFor(() => expect(reads).toBeGreaterThan(4));
  expect(warnings.map(({ name }) => name)).toEqual(['CredentialError']);
  expect(warnings[0]?.message).not.toContain(A.password);
});

test('a first read that fails rejects with its cause, and the next caller reads again', async () => {
  const { credentials, reads, errors } = open();
  const cause = new Error('away');
  const first = credentials.current();
  reads[0]?.fail(cause);
  await expect(first).rejects.toMatchObject({ code: 'source-failed', cause });
  const second = credentials.current();
  reads[1]?.answer(A);
  expect(await second).toEqual(A);
  expect(errors).toEqual([]);
});

test.each([
  undefined,
  {},
  { username: 'app_a' },
  { username: 'app_a', password: '' },
  { username: 1, password: 'x' },
])('a source that gives %j is refused', async (answer) => {
  const { credentials, reads } = open();
  const first = credentials.current();
  reads[0]?.answer(answer);
  await expect(first).rejects.toMatchObject({ code: 'source-invalid' });
});

test('a read that takes too long is given up, its signal aborts, and its late answer is ignored', async () => {
  const { credentials, reads } = open({ timeout: 20 });
  // Only this timer would keep a process alive, and timers of the library do not.
  const first = credentials.current();
  await expect(first).rejects.toMatchObject({ code: 'read-timeout', params: { timeout: 20 } });
  expect(reads[0]?.signal.aborted).toBe(true);
  const second = credentials.current();
  reads[1]?.answer(B);
  reads[0]?.answer(A);
  expect(await second).toEqual(B);
  expect(credentials.cached).toEqual(B);
});

test.each([30 * 86_400_000, Number.POSITIVE_INFINITY])(
  'refreshEvery of %d ms reads once',
  async (refreshEvery) => {
    const { reads } = await opened({ refreshEvery });
    await new Promise((later) => setTimeout(later, 100));
    expect(reads).toHaveLength(1);
  },
);

test('options that are undefined have their defaults, and timeout may be Infinity', async () => {
  const options = { timeout: undefined, refreshEvery: undefined, onError: undefined } as object;
  for (const given of [options, { timeout: Number.POSITIVE_INFINITY }, { timeout: 30 * 86_400_000 }]) {
    const { credentials, reads } = open(given);
    const first = credentials.current();
    await new Promise((later) => setTimeout(later, 50));
    reads[0]?.answer(A);
    expect(await first).toEqual(A);
  }
});

test.each([Number.NaN, -1, '5000'])('%j is no number of milliseconds', (given) => {
  for (const option of ['refreshEvery', 'timeout']) {
    expect(() => open({ [option]: given })).toThrow(/The option \w+ is .*milliseconds/);
  }
});

test.each([
  [
    'throws',
    () => {
      throw new Error('a bug');
    },
  ],
  ['rejects', () => Promise.reject(new Error('a bug'))],
])(
  'an onError that %s harms nobody, and the warning of the process tells what it was given',
  async (_, onError) => {
    const warnings: Error[] = [];
    const hear = (warning: Error) => warnings.push(warning);
    process.on('warning', hear);
    onTestFinished(() => void process.off('warning', hear));
    const { credentials, reads } = await opened({ onError });
    const replacement = credentials.replacementOf(await credentials.current());
    await vi.waitFor(() => expect(reads).toHaveLength(2));
    reads[1]?.fail(new Error('away'));
    expect(await replacement).toEqual(A);
    await vi.waitFor(() => expect(warnings).toMatchObject([{ code: 'source-failed' }]));
  },
);

test('what was read since a login was refused replaces it without a read', async () => {
  const { credentials, reads } = await opened();
  const refused = await credentials.current();
  const reading = credentials.refresh();
  reads[1]?.answer(B);
  await reading;
  expect(await credentials.replacementOf(refused)).toEqual(B);
  expect(reads).toHaveLength(2);
});

test('a refused login has the source read once for all that were refused, and after a read that is under way', async () => {
  const { credentials, reads } = await opened();
  const refused = await credentials.current();
  const underWay = credentials.refresh();
  const replacements = [credentials.replacementOf(refused), credentials.replacementOf(refused)];
  // This read began before the refusal, and may give what was refused.
  reads[1]?.answer(A);
  await underWay;
  await vi.waitFor(() => expect(reads).toHaveLength(3));
  reads[2]?.answer(B);
  expect(await Promise.all(replacements)).toEqual([B, B]);
  expect(reads).toHaveLength(3);
});

test('logins that are refused again and again have the source read once a second at most', async () => {
  const { credentials, reads } = await opened();
  const refused = await credentials.current();
  const began = performance.now();
  for (const read of [1, 2]) {
    const replacement = credentials.replacementOf(refused);
    await vi.waitFor(() => expect(reads).toHaveLength(read + 1), { timeout: 5_000 });
    reads[read]?.answer(A);
    expect(await replacement).toEqual(A);
  }
  expect(performance.now() - began).toBeGreaterThan(900);
});

test('where no replacement can be read, the refused login is returned and onError hears why', async () => {
  const { credentials, reads, errors } = await opened();
  const replacement = credentials.replacementOf(await credentials.current());
  await vi.waitFor(() => expect(reads).toHaveLength(2));
  reads[1]?.fail(new Error('away'));
  expect(await replacement).toEqual(A);
  expect(errors.map(({ code }) => code)).toEqual(['source-failed']);
});

test('closed credentials read no more, and keep what they have', async () => {
  const { credentials, reads } = await opened({ refreshEvery: 1 });
  await vi.waitFor(() => expect(reads).toHaveLength(2));
  await credentials.close();
  expect(reads[1]?.signal.aborted).toBe(true);
  expect(await credentials.current()).toEqual(A);
  expect(await credentials.refresh()).toEqual(A);
  expect(reads).toHaveLength(2);

  const unread = open();
  await unread.credentials.close();
  await expect(unread.credentials.current()).rejects.toMatchObject({ code: 'closed' });
});

test('a listener that throws keeps nobody else from hearing of a change', async () => {
  const { credentials, reads, errors } = await opened();
  const heard: Credential[] = [];
  const cause = new Error('a bug');
  credentials.onChange(() => {
    throw cause;
  });
  credentials.onChange((credential) => heard.push(credential));
  const reading = credentials.refresh();
  reads[1]?.answer(B);
  await reading;
  expect(heard).toEqual([B]);
  expect(errors).toMatchObject([{ code: 'listener-failed', cause }]);
});

test('a credential is frozen, and does not show its password where it is printed (G3)', async () => {
  const { credentials } = await opened();
  const credential = await credentials.current();
  expect(Object.isFrozen(credential)).toBe(true);
  expect(credential.password).toBe(A.password);
  for (const shown of [inspect(credential), inspect({ credential }), JSON.stringify(credential)]) {
    expect(shown).toContain('app_a');
    expect(shown).not.toContain(A.password);
  }
});

test('every error has a message of whole sentences that says what to do', () => {
  const codes = ['source-failed', 'source-invalid', 'closed', 'read-timeout', 'package-missing'] as const;
  for (const code of codes) {
    const { message } = new CredentialError(code, { timeout: 5, package: 'pg' });
    expect(message, code).toMatch(/^[A-Zr].+[.`] [A-Z].+\.$/);
  }
});

test('a source of an unknown type is refused with those that there are', () => {
  expect(() => openCredentials({ type: 'vault' } as never)).toThrow(/vault.*file, aws-secrets-manager/);
});
