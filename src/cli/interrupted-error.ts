/** Somebody pressed Ctrl-C before anything was done. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';

  constructor() {
    super('Interrupted; nothing was done');
  }
}
