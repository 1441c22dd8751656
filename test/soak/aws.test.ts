import { appendFile } from 'node:fs/promises';
import { describe, expect, inject, test } from 'vitest';
import { openScenario } from '../support/scenario.ts';
import { describeAwsSoak, soakAws } from './aws-soak.ts';

/** `npm run soak` asks for more, and reads the result. */
const ROTATIONS = Number(process.env.KEYTURN_SOAK_ROTATIONS ?? 3);
const RESULT = process.env.KEYTURN_SOAK_RESULT;
const PER_ROTATION_MS = 15_000;
const endpoint = inject('aws') ?? '';

describe.skipIf(endpoint === '')('On AWS Secrets Manager', () => {
  test(
    'no pair of two secrets that the library reads is of two rotations (G1)',
    async () => {
      await using scenario = await openScenario(inject('postgres'));
      const soaked = await soakAws(scenario, endpoint, ROTATIONS);
      if (RESULT) await appendFile(RESULT, `${describeAwsSoak(soaked)}\n`);
      expect(soaked.library.mixed).toBe(0);
      expect(soaked.failures).toEqual([]);
      expect(soaked.library.read).toBeGreaterThan(ROTATIONS);
      // A naive reader has to be unlucky; a few rotations need not suffice.
      if (ROTATIONS >= 50) expect(soaked.naive.mixed).toBeGreaterThan(0);
    },
    60_000 + ROTATIONS * PER_ROTATION_MS,
  );
});
