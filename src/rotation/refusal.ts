import { fact } from '../facts/fact.ts';
import { Fault } from '../facts/fault.ts';

/** A rotation that must not go on, in a sentence. TODO: without it once findings are facts. */
export class Refusal extends Fault {
  constructor(message: string, options?: ErrorOptions) {
    super(fact('recorded', { text: message }), options);
  }
}
