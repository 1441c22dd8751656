import type { Fact } from '../../facts/fact.ts';
import { tell } from '../../messages/tell.ts';

/** A fact as `--json` prints it. */
export interface FactJson {
  readonly code: string;
  readonly params: unknown;
  readonly message: string;
}

export function factJson(fact: Fact): FactJson {
  return { code: fact.code, params: fact.params, message: tell(fact) };
}
