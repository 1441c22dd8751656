import type { LoginsPolicy, Schedule } from '../../src/config/policy.ts';

/** A policy of which only the schedule matters. */
export function policyWith(schedule: Schedule, change: Partial<LoginsPolicy> = {}): LoginsPolicy {
  return {
    name: 'p',
    type: 'logins',
    connection: 'c',
    logins: ['a', 'b'],
    autoRotate: true,
    retryFor: 0,
    password: { length: 32, symbols: '' },
    verify: [],
    probe: undefined,
    heal: 'alert',
    drain: { grace: 0, timeout: 0, onTimeout: 'terminate' },
    publish: [{ store: 's', create: true, secrets: {} }],
    schedule,
    ...change,
  };
}
