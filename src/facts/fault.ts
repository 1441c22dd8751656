import { type Fact, type FactCode, type FactParams, fact } from './fact.ts';
import type { Remedy } from './remedy.ts';

/**
 * A fact that is thrown. Its message is for stack traces only: `tellError` of src/messages makes
 * the sentence for people.
 */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly fact: Fact;

  constructor(thrown: Fact, options?: ErrorOptions) {
    super(`${thrown.code} ${JSON.stringify(thrown.params)}`, options);
    this.fact = thrown;
  }
}

/** A fault with this code; `cause` is what was caught, if anything was. */
export function fault<Code extends FactCode>(
  code: Code,
  params: FactParams[Code],
  { cause, remedies = [] }: { readonly cause?: unknown; readonly remedies?: readonly Remedy[] } = {},
): Fault {
  // Each member of the union is a Fact; the compiler does not see it for a code that it does not
  // know.
  const thrown = fact(code, params, ...remedies) as Fact;
  return new Fault(thrown, cause === undefined ? undefined : { cause });
}

/** Whether an error is a fault with one of these codes. */
export function isFault<Code extends FactCode>(
  error: unknown,
  ...codes: readonly Code[]
): error is Fault & { readonly fact: Fact<Code> } {
  return error instanceof Fault && (codes as readonly FactCode[]).includes(error.fact.code);
}

/** The fact of any error: its own, or for one that is not ours its text as data. */
export function factOf(error: unknown): Fact {
  if (error instanceof Fault) return error.fact;
  return fact('unexpected', { text: error instanceof Error ? error.message : String(error) });
}
