import type { Fact } from '../../src/facts/fact.ts';
import type { SeenSession, SeenUse } from '../../src/facts/rotation/use-facts.ts';

// Facts that many tests expect, for toMatchObject.

/** The fault of a check that found this in the way, and nothing else. */
export function checkRefused(...findings: readonly object[]) {
  return { code: 'check-refused', params: { findings } } as const;
}

/** The same, where somebody else changed the stores and a rotation of the policy could adopt that. */
export function adoptionNeeded(policy: string, ...changes: readonly OutsideChangeInfo[]) {
  return checkRefused({
    code: 'outside-changes-stop',
    params: { changes },
    remedies: [{ kind: 'command', command: `keyturn rotate ${policy} --adopt` }],
  });
}

/** The warning of a rotation that went on with a change, because it adopts it or need not. */
export function outsideChange({ found, effect }: OutsideChangeInfo, { adopted }: { adopted: boolean }) {
  return { step: 'check', code: 'outside-change', params: { found, effect, adopted } } as const;
}

/** What somebody else changed, and what a rotation does about it. */
interface OutsideChangeInfo {
  readonly found: Partial<Record<keyof Fact, unknown>>;
  readonly effect: Partial<Record<keyof Fact, unknown>>;
}

/** An idle session of `logInAs` on the primary, but for what is different about it. */
export function shopSession(different: Partial<SeenSession> = {}): Partial<SeenSession> {
  return {
    application: 'shop',
    address: '127.0.0.1',
    elsewhere: false,
    type: 'client backend',
    slots: [],
    state: 'idle',
    transactionAge: null,
    ...different,
  };
}

/** The fact of a drain that waits for these sessions of a login, and for nobody else unless told. */
export function waitingFor(
  login: string,
  sessions: readonly Partial<SeenSession>[],
  { prepared = [], clients = [] }: { prepared?: readonly object[]; clients?: SeenUse['clients'] } = {},
) {
  const params = { login, sessions, prepared, clients, pastDeadline: false };
  return { code: 'drain-waiting-for-sessions', params } as const;
}

/** The warning of a revoke that ends these sessions of a login. */
export function endingOf(login: string, sessions: readonly Partial<SeenSession>[]) {
  return { step: 'revoke', code: 'revoke-ends-sessions', params: { login, sessions } } as const;
}
