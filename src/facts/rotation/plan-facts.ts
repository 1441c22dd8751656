import type { SeenUse } from './use-facts.ts';

/** About what each step would do, for `keyturn plan`. */
export interface PlanFacts {
  readonly 'plan-done': Record<string, never>;
  readonly 'plan-check': { readonly incoming: string; readonly outgoing: string };
  readonly 'plan-check-rotator': { readonly login: string };
  readonly 'plan-stage': { readonly length: number; readonly destinations: readonly string[] };
  readonly 'plan-set': { readonly login: string };
  readonly 'plan-set-rotator': { readonly login: string };
  readonly 'plan-verify': {
    readonly login: string;
    readonly statements: number;
    readonly replicas: readonly string[];
  };
  /** Destinations in the order in which they are written. */
  readonly 'plan-publish': { readonly login: string; readonly destinations: readonly string[] };
  readonly 'plan-drain': SeenUse & {
    /** Milliseconds; of a rotation that drains already, what is left of them. */
    readonly grace: number;
    readonly timeout: number;
    readonly begun: boolean;
    readonly onTimeout: 'terminate' | 'wait';
  };
  readonly 'plan-no-drain': SeenUse;
  readonly 'plan-revoke': {
    readonly login: string;
    readonly endsSessions: boolean;
    readonly replicas: readonly string[];
  };
}
