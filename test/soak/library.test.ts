import { appendFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { LIBRARIES } from '../consumer/libraries.ts';
import { withRotatedScenario } from '../support/rotated-scenario.ts';
import type { Scenario } from '../support/scenario.ts';
import { describeLibrarySoak, IDLE_TIMEOUT_MS, soakLibrary } from './library-soak.ts';

/** `npm run soak` asks for more, and reads the result. */
const ROTATIONS = Number(process.env.KEYTURN_SOAK_ROTATIONS ?? 2);
const RESULT = process.env.KEYTURN_SOAK_RESULT;
/** In the short form, a busy machine has other tests to run. */
const POOLS = ROTATIONS >= 50 ? 8 : 3;
const PER_ROTATION_MS = 15_000;

let scenario: Scenario;
withRotatedScenario((opened) => {
  scenario = opened;
});

test.each(LIBRARIES)(
  'no query of %s fails over rotations, no connection leaks, and the old login is out of use soon (G2)',
  async (library) => {
    await scenario.admin.query('CREATE TABLE public.things (id integer PRIMARY KEY, name text NOT NULL)');
    await scenario.admin.query("INSERT INTO public.things VALUES (1, 'one')");
    await scenario.admin.query('GRANT SELECT, INSERT ON public.things TO PUBLIC');
    const main = library === 'pg';
    const soaked = await soakLibrary(scenario, library, {
      rotations: main ? ROTATIONS : Math.ceil(ROTATIONS / 4),
      pools: main ? POOLS : 2,
    });
    if (RESULT) await appendFile(RESULT, `${describeLibrarySoak(soaked)}\n`);
    expect(soaked.failures).toEqual([]);
    expect(soaked.warnings).toEqual([]);
    expect(soaked.notifications.missed).toBe(0);
    expect(soaked.leaked).toBe(0);
    expect(soaked.longestUse).toBeLessThan(IDLE_TIMEOUT_MS);
    expect(soaked.answered).toBeGreaterThan(soaked.rotations);
  },
  60_000 + ROTATIONS * PER_ROTATION_MS,
);
