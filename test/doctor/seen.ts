import { expect } from 'vitest';
import type { FactCode, FactParams } from '../../src/facts/fact.ts';
import type { Finding } from '../../src/rotation/findings/finding.ts';

/** A finding with its fact on the same level, as `doctor --json` has it. */
export function seen({ level, about, fact }: Finding) {
  return { level, about, ...fact };
}

/** What a finding must be, as far as it is said. */
export interface Expected<Code extends FactCode = FactCode> {
  readonly code: Code;
  readonly params: Partial<FactParams[Code]>;
}

/** Matches what `seen` makes of a finding. */
export function like({ code, params }: Expected): unknown {
  return expect.objectContaining({ code, params: expect.objectContaining(params) });
}

/** An {@link Expected} whose parameters are those of its code. */
export function expected<Code extends FactCode>(
  code: Code,
  params: Partial<FactParams[Code]> = {},
): Expected {
  return { code, params } as Expected;
}
