import { expect } from 'vitest';
import type { FactCode, FactParams } from '../../src/facts/fact.ts';
import { remedyOf, statementsOf, textOf } from '../../src/messages/tell.ts';
import type { Finding } from '../../src/rotation/findings/finding.ts';

/** A finding as `doctor --json` has it. */
export function seen({ level, about, fact }: Finding) {
  const { code, params } = fact;
  return {
    level,
    about,
    code,
    params,
    text: textOf(fact),
    remedy: remedyOf(fact) ?? null,
    sql: statementsOf(fact),
  };
}

/** What a finding must be, as far as it is said. */
export interface Expected<Code extends FactCode = FactCode> {
  readonly code: Code;
  readonly params?: Partial<FactParams[Code]>;
  readonly text?: RegExp;
}

/** Matches what `seen` makes of a finding. */
export function like({ code, params, text }: Expected): unknown {
  return expect.objectContaining({
    code,
    ...(params ? { params: expect.objectContaining(params) } : {}),
    ...(text ? { text: expect.stringMatching(text) } : {}),
  });
}

/** An {@link Expected} whose parameters are those of its code. */
export function expected<Code extends FactCode>(
  code: Code,
  params: Partial<FactParams[Code]> = {},
  text?: RegExp,
): Expected {
  return { code, params, ...(text ? { text } : {}) } as Expected;
}
