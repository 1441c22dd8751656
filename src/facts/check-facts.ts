import type { GrantFacts } from './check/grant-facts.ts';
import type { LoginFacts } from './check/login-facts.ts';
import type { OutsideChangeFacts } from './check/outside-change-facts.ts';
import type { RecoveryFacts } from './check/recovery-facts.ts';
import type { CheckServerFacts } from './check/server-facts.ts';
import type { CheckUseFacts } from './check/use-facts.ts';
import type { Fact } from './fact.ts';

/**
 * About what `check` looks at before a rotation, and doctor too: logins, rights, sessions, the
 * server.
 */
export interface CheckFacts
  extends GrantFacts,
    LoginFacts,
    OutsideChangeFacts,
    RecoveryFacts,
    CheckServerFacts,
    CheckUseFacts {
  /** Why a rotation, or a change of roles, does not begin or does not go on. */
  readonly 'check-refused': { readonly findings: readonly Fact[] };
}
