/** A rotation that must not go on, and will not mend by itself. The message says what to do. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}
