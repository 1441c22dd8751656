import type { AttachmentFacts } from './rotation/attachment-facts.ts';
import type { EndFacts } from './rotation/end-facts.ts';
import type { PlanFacts } from './rotation/plan-facts.ts';
import type { ProofFacts } from './rotation/proof-facts.ts';
import type { UseFacts } from './rotation/use-facts.ts';

/** About a rotation on its way: what it waits for, what it warns of, why it stops. */
export interface RotationFacts
  extends AttachmentFacts,
    EndFacts,
    PlanFacts,
    ProofFacts,
    StatusFacts,
    UseFacts {
  readonly 'slot-window-over': { readonly slot: string; readonly end: string };
  readonly 'publication-replaced': {
    readonly destination: string;
    /** What is not revoked, therefore. */
    readonly outgoing: string | null;
  };
  readonly 'store-does-not-give-back': {
    readonly destination: string;
    readonly stage: 'pending' | 'current';
  };
  readonly 'incoming-login-published': { readonly destination: string; readonly login: string };
  readonly 'incoming-login-dropped': { readonly login: string };
  readonly 'ledger-names-other-logins': {
    readonly rotation: string;
    readonly incoming: string;
    readonly outgoing: string;
    readonly policy: string;
    readonly logins: readonly string[];
  };
  readonly 'staged-version-lost': { readonly destination: string; readonly version: string };
  readonly 'staged-version-retired': { readonly destination: string; readonly version: string };
  readonly 'staged-version-of-another-login': {
    readonly destination: string;
    readonly version: string;
    readonly login: string;
    readonly rotation: string;
    readonly incoming: string;
  };
  readonly 'rotator-changed-since-set': {
    readonly rotation: string;
    readonly login: string;
    readonly connection: string;
    readonly rotator: string;
  };
  readonly 'pending-password-in-use': {
    readonly destination: string;
    readonly version: string | null;
    readonly login: string;
  };
  readonly 'configured-password-obsolete': {
    readonly login: string;
    readonly destination: string;
    readonly connection: string;
  };
  readonly 'rotation-recounted': { readonly at: string };
}

/** About what `keyturn status` and the commands that open rotations tell. */
interface StatusFacts {
  readonly 'publication-gone': { readonly destination: string };
  readonly 'published-in-part': {
    readonly destinations: readonly {
      readonly destination: string;
      /**
       * `nothing`: none is; `unknown`: it cannot be asked; `unnamed`: a version without a username.
       */
      readonly has: 'login' | 'nothing' | 'unknown' | 'unnamed';
      readonly login: string | null;
    }[];
  };
  readonly 'no-open-rotation': { readonly policy: string };
  readonly 'no-worker': Record<string, never>;
  readonly 'no-worker-to-rotate': Record<string, never>;
  readonly 'nothing-rotates-by-itself': Record<string, never>;
  /** A worker took a rotation of a policy that another process knows. */
  readonly 'worker-lacks-policy': {
    readonly policy: string;
    /** The name of the worker's machine, and the configuration that it reads. */
    readonly host: string;
    readonly config: string;
    /** Whether its configuration has problems now, so that the one before is in force. */
    readonly isRefused: boolean;
  };
  /** No worker that took the rotation has its policy. */
  readonly 'no-worker-has-policy': {
    readonly policy: string;
    readonly rotation: string;
    readonly seconds: number;
  };
  /** An error log of a worker for a rotation whose policy is gone. */
  readonly 'policy-removed': { readonly policy: string; readonly outgoing: string | null };
}
