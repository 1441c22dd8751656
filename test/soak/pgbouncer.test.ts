import { appendFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { havePgBouncer } from '../support/pgbouncer.ts';
import { withRotatedScenario } from '../support/rotated-scenario.ts';
import type { Scenario } from '../support/scenario.ts';
import { havePgbench } from './consumers.ts';
import { describeSoak, soak } from './pgbouncer-soak.ts';

/** `npm run soak` asks for more, and reads the result. */
const ROTATIONS = Number(process.env.KEYTURN_SOAK_ROTATIONS ?? 4);
const RESULT = process.env.KEYTURN_SOAK_RESULT;
/** More than a rotation takes, on a busy machine too. */
const PER_ROTATION_MS = 30_000;

let scenario: Scenario;
withRotatedScenario((opened) => {
  scenario = opened;
});

describe.skipIf(!havePgBouncer || !havePgbench)('Behind a PgBouncer', () => {
  test.each(['transaction', 'session'] as const)(
    'in %s pooling no query fails of consumers that follow each rotation, at high churn (G2)',
    async (mode) => {
      const soaked = await soak(scenario, mode, ROTATIONS);
      if (RESULT) await appendFile(RESULT, `${describeSoak(mode, soaked)}\n`);
      const { tally, warnings } = soaked;
      expect(tally.failures).toEqual([]);
      expect(warnings).toEqual([]);
      expect(tally.answered.pgbench).toBeGreaterThan(ROTATIONS);
      expect(tally.answered.pools).toBeGreaterThan(ROTATIONS);
    },
    60_000 + ROTATIONS * PER_ROTATION_MS,
  );
});
