import { appendFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { PYTHON } from '../support/psycopg.ts';
import { withRotatedScenario } from '../support/rotated-scenario.ts';
import type { Scenario } from '../support/scenario.ts';
import { havePgbench } from './consumers.ts';
import { describeLibpqSoak, libpqSoak } from './libpq-soak.ts';

/** `npm run soak` asks for more, and reads the result. */
const ROTATIONS = Number(process.env.KEYTURN_SOAK_ROTATIONS ?? 3);
const RESULT = process.env.KEYTURN_SOAK_RESULT;
/** More than a rotation takes, on a busy machine too. */
const PER_ROTATION_MS = 30_000;

let scenario: Scenario;
withRotatedScenario((opened) => {
  scenario = opened;
});

describe.skipIf(!havePgbench || PYTHON === undefined)('With a service file', () => {
  test(
    'no connection fails of pgbench -C and psycopg, which know nothing but PGSERVICEFILE and PGSERVICE (G1)',
    async () => {
      const soaked = await libpqSoak(scenario, ROTATIONS);
      if (RESULT) await appendFile(RESULT, `${describeLibpqSoak(soaked)}\n`);
      expect(soaked.failures).toEqual([]);
      expect(soaked.answered.pgbench).toBeGreaterThan(ROTATIONS);
      expect(soaked.answered.psycopg).toBeGreaterThan(ROTATIONS);
    },
    60_000 + ROTATIONS * PER_ROTATION_MS,
  );
});
