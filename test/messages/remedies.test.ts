import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { codesWithRemedies } from '../support/codes-with-remedies.ts';

const ROOT = resolve(import.meta.dirname, '../..');

/**
 * The file of tests that breaks the thing, and does what the fact of a code says mends it; what is
 * in doctor/breaks.ts, doctor/doctor.test.ts breaks and mends.
 */
const EXECUTED: Readonly<Record<string, string>> = {
  'attachment-of-altered-version': 'cli/commands/attach.test.ts',
  'cancel-after-publish': 'rotation/remedies.test.ts',
  'check-refused': 'rotation/remedies.test.ts',
  'connection-limit-in-use': 'doctor/doctor.test.ts',
  'connections-can-be-exhausted': 'doctor/breaks.ts',
  'credential-broken': 'cli/commands/restore.test.ts',
  'default-privileges-beyond-level': 'roles/access.test.ts',
  'drop-during-rotation': 'roles/remedies.test.ts',
  'drop-owner-missing': 'roles/remedies.test.ts',
  'drop-sessions-starting': 'rotation/starting-sessions.test.ts',
  'grants-differ': 'doctor/doctor.test.ts',
  'hand-over-forbidden': 'roles/versions.test.ts',
  'hba-asks-no-password': 'doctor/doctor.test.ts',
  'hba-lets-nobody-in': 'doctor/doctor.test.ts',
  'hba-line-broken': 'doctor/doctor.test.ts',
  'hba-method-unsafe': 'doctor/doctor.test.ts',
  'incoming-login-dropped': 'rotation/remedies.test.ts',
  'ledger-tables-locked': 'attacks/migration-lock.test.ts',
  'lock-held': 'postgres/locks/policy-lock.test.ts',
  'login-connection-limit-zero': 'doctor/breaks.ts',
  'login-creates-as-itself': 'doctor/breaks.ts',
  'login-expired': 'doctor/breaks.ts',
  'login-expires-alone': 'doctor/breaks.ts',
  'login-expires-before-drained': 'doctor/breaks.ts',
  'login-expires-soon': 'rotation/remedies.test.ts',
  'login-may-not-connect': 'doctor/breaks.ts',
  'login-may-not-set-role': 'doctor/breaks.ts',
  'login-not-member-of-owner': 'doctor/breaks.ts',
  'login-row-locked': 'attacks/emergency-veto.test.ts',
  'logins-differ': 'doctor/breaks.ts',
  'logins-missing': 'doctor/breaks.ts',
  'no-open-rotation': 'cli/remedies.test.ts',
  'no-worker-has-policy': 'cli/new-policy.test.ts',
  'no-worker': 'cli/remedies.test.ts',
  'nothing-published': 'cli/remedies.test.ts',
  'nothing-rotates-by-itself': 'cli/remedies.test.ts',
  'objects-in-other-database': 'roles/remedies.test.ts',
  'objects-of-login': 'roles/remedies.test.ts',
  'outside-changes-stop': 'doctor/doctor.test.ts',
  'owner-missing': 'doctor/breaks.ts',
  'password-encryption-md5': 'doctor/breaks.ts',
  'policy-paused': 'doctor/doctor.test.ts',
  'privilege-missing': 'postgres/connection/connect.test.ts',
  'privileges-beyond-level': 'roles/access.test.ts',
  'privileges-left-to-superuser': 'roles/rotator.test.ts',
  'public-privileges': 'roles/remedies.test.ts',
  'publication-gone': 'cli/adopt.test.ts',
  'publication-replaced': 'rotation/remedies.test.ts',
  'published-login-dropped': 'rotation/remedies.test.ts',
  'published-login-missing': 'rotation/remedies.test.ts',
  'published-login-recreated': 'roles/repair.test.ts',
  'published-login-refused': 'rotation/remedies.test.ts',
  'published-not-proven': 'doctor/doctor.test.ts',
  'published-password-altered': 'rotation/remedies.test.ts',
  'published-refused': 'doctor/breaks.ts',
  'published-verifier-differs': 'rotation/formats.test.ts',
  'queue-tables-locked': 'attacks/migration-lock.test.ts',
  'replicas-behind': 'rotation/replicas.test.ts',
  'revoke-sessions-not-ended': 'rotation/remedies.test.ts',
  'role-change-failed': 'roles/versions.test.ts',
  'role-changes-without-effect': 'roles/remedies.test.ts',
  'roles-rights-missing': 'roles/remedies.test.ts',
  'roles-turn-taken': 'roles/remedies.test.ts',
  'rollback-after-revoke': 'rotation/remedies.test.ts',
  'rollback-before-publish': 'rotation/remedies.test.ts',
  'rollback-of-rotator': 'rotation/remedies.test.ts',
  'rotation-failed': 'doctor/doctor.test.ts',
  'rotator-has-replication': 'doctor/versions.test.ts',
  'restore-altered-version': 'roles/restore.test.ts',
  'restore-foreign-username': 'roles/restore.test.ts',
  'restore-of-rotator': 'cli/commands/restore.test.ts',
  'restore-older-version': 'roles/restore.test.ts',
  'rotator-lacks-privileges': 'doctor/breaks.ts',
  'rotator-passwords-refused': 'rotation/remedies.test.ts',
  'rotator-policy-without-roles': 'cli/remedies.test.ts',
  'schemas-missing': 'roles/names.test.ts',
  'sessions-hidden': 'postgres/sessions/sessions.test.ts',
  'sessions-of-dropped-logins': 'rotation/remedies.test.ts',
  'staged-version-lost': 'rotation/remedies.test.ts',
  'starting-sessions-left': 'rotation/starting-sessions.test.ts',
  'state-database-fails': 'ledger/schema-error.test.ts',
  'state-database-open-to-public': 'cli/remedies.test.ts',
  'state-schema-shared': 'attacks/shared-schema.test.ts',
  'state-tables-forbidden': 'ledger/schema-error.test.ts',
  'unpublished-login-in-use': 'rotation/remedies.test.ts',
};

/** Codes whose remedies no test executes, and why. */
const NOT_EXECUTED: Readonly<Record<string, string>> = {
  'attachment-during-rotation': 'keyturn status only tells of the rotation, which goes on by itself',
  'cancel-after-set':
    'keyturn status only tells, and nothing is to be mended: the rotation goes on by itself',
  'no-worker-to-rotate':
    'keyturn start, which the test of no-worker runs; to wait for a worker in vain takes long',
  'pending-version-of-open-rotation': 'keyturn status only tells of the rotation, which goes on by itself',
  'published-finds-no-connection': 'what it quotes has advice in words, and no remedy of its own',
  'rotation-open-already': 'keyturn status only tells of the rotation, which goes on by itself',
  'slot-overdue':
    'keyturn start, which the test of no-worker runs; test/jobs/every-slot.test.ts has the slots',
};

const found = codesWithRemedies(resolve(ROOT, 'tsconfig.json'), ROOT);

describe('what a fact says to run is run by a test:', () => {
  test('every code that has remedies is in one of the tables, and nothing else is', () => {
    expect(found.unknown).toEqual([]);
    const listed = [...Object.keys(EXECUTED), ...Object.keys(NOT_EXECUTED)];
    expect(listed.toSorted()).toEqual([...found.codes].toSorted());
  });

  test.each(Object.entries(EXECUTED))('%s, in test/%s', (code, file) => {
    const path = resolve(ROOT, 'test', file);
    expect(existsSync(path)).toBe(true);
    expect(readFileSync(path, 'utf8')).toMatch(new RegExp(`(?<![\\w-])${code}(?![\\w-])`));
  });
});
