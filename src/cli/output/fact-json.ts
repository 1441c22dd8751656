import type { Fact } from '../../facts/fact.ts';

/** A fact in JSON, beside its message. */
export function factJson({ code, params }: Fact): Pick<Fact, 'code' | 'params'> {
  return { code, params };
}
