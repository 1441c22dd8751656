import type { Survey } from '../../postgres/survey.ts';

/** The survey of a policy's logins, which is read once until it is expired. */
export class Surveys {
  #latest: Promise<Survey> | undefined;

  read(ask: () => Promise<Survey>): Promise<Survey> {
    this.#latest ??= ask();
    return this.#latest;
  }

  /** Has the server asked again. */
  expire(): void {
    this.#latest = undefined;
  }
}
