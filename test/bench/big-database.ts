import pg from 'pg';
import { progress } from './measure.ts';
import { type OneRotation, oneRotation } from './one-rotation.ts';
import { many } from './options.ts';
import { loginsOf, NO_DRAIN, openPlace, type Place } from './place.ts';
import { figure, type Section } from './report.ts';
import { seed } from './seed.ts';

const TABLES = 10_000;
const ROUTINES = 5_000;
const ROLES = 1_000;
/** So many objects in one transaction: each takes places in the table of locks. */
const BATCH = 500;
/** So many tables are granted to the logins themselves, the others to a role that both are members of. */
const GRANTED = 20;

/** (d) One rotation in a database with very many objects and roles, against an empty one. */
export async function measureBigDatabase(): Promise<Section> {
  await using empty = await openPlace({ policies: 1 });
  await using big = await openPlace({ policies: 1 });
  for (const place of [empty, big]) {
    await place.configure(NO_DRAIN);
    await seed(place);
  }
  progress(`${TABLES} tables, ${ROUTINES} routines and ${ROLES} roles are made`);
  await fill(big);
  const found: { empty: OneRotation[]; big: OneRotation[] } = { empty: [], big: [] };
  // In turns, so that a machine that becomes slower is so for both.
  for (let turn = 0; turn < 2; turn += 1) {
    found.empty.push(await oneRotation(empty, many(12, 4)));
    found.big.push(await oneRotation(big, many(12, 4)));
  }
  return report(found);
}

async function fill({ admin, workspace, policies }: Place): Promise<void> {
  const logins = loginsOf(policies[0] ?? '').join(', ');
  await admin.query(`CREATE ROLE bench_readers; GRANT bench_readers TO ${logins}`);
  await admin.query(
    `DO $$ BEGIN FOR n IN 0..${ROLES - 1} LOOP EXECUTE format('CREATE ROLE bench_role_%s', n); END LOOP; END $$`,
  );
  const client = new pg.Client(workspace.targetUrl);
  client.on('error', () => {});
  await client.connect();
  try {
    for (let from = 0; from < TABLES; from += BATCH) {
      await client.query(`DO $$ BEGIN FOR n IN ${from}..${from + BATCH - 1} LOOP
        EXECUTE format('CREATE TABLE public.table_%s (id bigint PRIMARY KEY, text text)', n);
        EXECUTE format('GRANT SELECT, INSERT ON public.table_%s TO bench_readers, bench_role_%s', n, n % ${ROLES});
        IF n < ${GRANTED} THEN EXECUTE format('GRANT UPDATE ON public.table_%s TO ${logins}', n); END IF;
        END LOOP; END $$`);
    }
    for (let from = 0; from < ROUTINES; from += BATCH) {
      await client.query(`DO $$ BEGIN FOR n IN ${from}..${from + BATCH - 1} LOOP
        EXECUTE format('CREATE FUNCTION public.routine_%s() RETURNS int LANGUAGE sql AS ''SELECT 1''', n);
        EXECUTE format('GRANT EXECUTE ON FUNCTION public.routine_%s() TO bench_role_%s', n, n % ${ROLES});
        END LOOP; END $$`);
    }
    await client.query('VACUUM ANALYZE');
  } finally {
    await client.end();
  }
}

function report(found: {
  readonly empty: readonly OneRotation[];
  readonly big: readonly OneRotation[];
}): Section {
  const mean = (times: readonly OneRotation[], which: 'worker' | 'bare', end: 'published' | 'revoked') =>
    times.reduce((sum, each) => sum + each[which][end], 0) / times.length;
  const line = (what: string, which: 'worker' | 'bare', end: 'published' | 'revoked') => {
    const [empty, big] = [mean(found.empty, which, end), mean(found.big, which, end)];
    return [what, figure(empty), figure(big), figure(big / empty)];
  };
  const ratio = (end: 'published' | 'revoked') =>
    mean(found.big, 'worker', end) / mean(found.empty, 'worker', end);
  return {
    tables: [
      {
        title: `One rotation by a worker, in an empty database and in one with ${TABLES} tables, ${ROUTINES} routines and ${ROLES} roles (medians, two turns each).`,
        head: ['', 'empty, ms', 'big, ms', 'of empty'],
        rows: [
          line('keyturn, published', 'worker', 'published'),
          line('keyturn, revoked', 'worker', 'revoked'),
          line('bare floor, published', 'bare', 'published'),
          line('bare floor, revoked', 'bare', 'revoked'),
        ],
      },
    ],
    bars: [
      { what: 'big database, until published, of the empty one', found: ratio('published'), most: 1.2 },
      { what: 'big database, until revoked, of the empty one', found: ratio('revoked'), most: 1.2 },
    ],
  };
}
