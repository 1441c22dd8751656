import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import pg from 'pg';
import { systemClock } from '../../src/clock.ts';
import { type Ledger, openLedger } from '../../src/ledger/ledger.ts';
import { scramVerifier } from '../../src/postgres/logins/scram-verifier.ts';
import { openFileStore } from '../../src/secret-store/file/file-store.ts';
import type { SecretStore } from '../../src/secret-store/secret-store.ts';
import { inParallel } from './measure.ts';
import { loginsOf, mappingOf, PASSWORD, type Place, ROTATOR } from './place.ts';

const PARALLEL = 8;

/** Brings every policy to rest: its first login is published by a rotation that is over, and works. */
export async function seed(place: Place): Promise<void> {
  await makeLogins(place, place.policies.map(loginsOf));
  const store = openFileStore({ name: 'files', path: join(place.workspace.folder, 'secrets') });
  const pool = new pg.Pool({ connectionString: place.stateUrl, max: PARALLEL });
  pool.on('error', () => {});
  try {
    const ledger = await openLedger(pool, systemClock);
    // A slot from now on is theirs, whenever a worker comes up.
    await ledger.see(place.policies);
    await inParallel(place.policies.length, PARALLEL, (index) =>
      publishFirst(place.policies[index] ?? '', { store, ledger }),
    );
  } finally {
    await pool.end();
    await store.close();
  }
}

/** Makes pairs of logins as the rotator, so that it may alter them. The first of each may log in. */
export async function makeLogins(
  { admin }: Pick<Place, 'admin'>,
  pairs: readonly (readonly [string, string])[],
): Promise<void> {
  const verifier = scramVerifier(PASSWORD);
  await admin.query(`SET SESSION AUTHORIZATION ${ROTATOR}`);
  try {
    for (let from = 0; from < pairs.length; from += 100) {
      const statements = pairs
        .slice(from, from + 100)
        .map(
          ([one, other]) => `CREATE ROLE ${one} LOGIN PASSWORD '${verifier}'; CREATE ROLE ${other} NOLOGIN`,
        );
      await admin.query(statements.join(';'));
    }
  } finally {
    await admin.query('RESET SESSION AUTHORIZATION');
  }
}

async function publishFirst(
  policy: string,
  { store, ledger }: { readonly store: SecretStore; readonly ledger: Ledger },
): Promise<void> {
  const id = randomUUID();
  const [username, outgoing] = loginsOf(policy);
  const mapping = mappingOf(policy);
  await store.stage(mapping, id, { username, password: PASSWORD }, { create: true });
  await store.promote(mapping, id);
  const rotation = await ledger.request({ id, policy, reason: 'manual', requestedBy: 'bench' });
  if (!rotation) throw new Error(`no rotation of ${policy} was opened`);
  const changes = {
    logins: { incoming: username, outgoing },
    published: true,
    end: { status: 'done' },
  } as const;
  await ledger.record(rotation, [], changes);
}
