import type { ExecFacts } from './exec-facts.ts';

/** An option as it was given. */
interface Given {
  readonly option: string;
  readonly given: string;
}

/** About how a command was used. */
export interface CommandFacts extends ExecFacts {
  /** Logins were made on a connection that is not configured any more. */
  readonly 'connection-not-configured': { readonly connection: string };
  /** The words of the library that reads the command line, and what shows the command's help. */
  readonly 'usage-wrong': { readonly detail: string; readonly help: string };
  readonly 'no-policy-named': Record<string, never>;
  readonly 'policies-and-all': Record<string, never>;
  readonly 'adopt-needs-one-policy': Record<string, never>;
  readonly 'log-level-unknown': { readonly given: string; readonly allowed: readonly string[] };
  /** `question` is what would have been asked, `option` answers it beforehand. */
  readonly 'confirmation-impossible': { readonly question: string; readonly option: string };
  readonly 'not-confirmed': Record<string, never>;
  /** Ctrl-C before anything was done. */
  readonly interrupted: Record<string, never>;
  readonly 'nothing-published': { readonly policy: string };
  readonly 'option-not-a-count': Given & { readonly least: number; readonly most: number };
  readonly 'option-not-a-duration': Given;
  /** `most` is the longest duration that a command can wait. */
  readonly 'option-too-long': Given & { readonly most: string };
  readonly 'option-not-an-instant': Given;
  readonly 'option-not-since': Given;
  readonly 'option-in-future': Given & { readonly now: string };
  /** `length` is what was given, in characters. It may be anything, so it is not repeated. */
  readonly 'option-not-a-reason': {
    readonly option: string;
    readonly length: number;
    readonly most: number;
  };
}
