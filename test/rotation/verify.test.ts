import { expect, inject, test } from 'vitest';
import { openScenario } from '../support/scenario.ts';

test('A connection that is lost during a verify statement has the rotation try again, and end as done (G5)', async () => {
  await using scenario = await openScenario(inject('postgres'));
  const lost = 'SELECT pg_terminate_backend(pg_backend_pid())';
  const losing = scenario.with({ policy: { ...scenario.policy, verify: [lost] } });
  const rotation = await losing.request();
  expect(await losing.run(rotation)).toMatchObject({ status: 'retrying', error: { step: 'verify' } });
  expect(await scenario.finish(rotation)).toEqual({ status: 'done' });
});

test('A verify statement that fails, or takes too long, ends the rotation (G5)', async () => {
  await using scenario = await openScenario(inject('postgres'));
  for (const statement of ['SELECT 1/0', "SET statement_timeout = '1ms'; SELECT pg_sleep(10)"]) {
    const failing = scenario.with({ policy: { ...scenario.policy, verify: [statement] } });
    expect(await failing.finish(await failing.request())).toMatchObject({
      status: 'failed',
      error: { step: 'verify', fact: { code: 'verify-statement-failed', params: { statement } } },
    });
  }
});
