import { expect, inject, test } from 'vitest';
import { withPolicyLock } from '../../src/postgres/policy-lock.ts';
import { adminOf } from '../support/admin.ts';

test('the lock of two logins is held by one session at a time, whichever is named first', async () => {
  await using one = await adminOf(inject('postgres'));
  await using other = await adminOf(inject('postgres'));
  await withPolicyLock(one.client, ['lock_a', 'lock_b'], async () => {
    await expect(withPolicyLock(other.client, ['lock_b', 'lock_a'], async () => {})).rejects.toMatchObject({
      kind: 'locked',
    });
    await withPolicyLock(other.client, ['lock_c', 'lock_d'], async () => {});
  });
  await withPolicyLock(other.client, ['lock_a', 'lock_b'], async () => {});
});

test('what its body did is undone when the body throws', async () => {
  await using admin = await adminOf(inject('postgres'));
  const attempt = withPolicyLock(admin.client, ['lock_a', 'lock_b'], async () => {
    await admin.client.query('CREATE ROLE half_done');
    throw new Error('stop');
  });
  await expect(attempt).rejects.toThrow('stop');
  const { rowCount } = await admin.client.query("SELECT FROM pg_roles WHERE rolname = 'half_done'");
  expect(rowCount).toBe(0);
});
