/**
 * `rotator`: its holder may wait for other sessions. `proof`: it ends by itself, and waits for
 * nobody.
 */
export type Use = 'rotator' | 'proof';

interface Waiter {
  readonly use: Use;
  readonly urgent: boolean;
  readonly admit: () => void;
}

/** What a rotation needs at the same time: the rotator's session, and one that proves a login. */
export const MINIMUM = 2;

/**
 * Limits the sessions of one server. Those that would be too many wait.
 *
 * A run holds the rotator's session and then needs a proof. If rotators had all sessions, all runs
 * would wait for a proof, and none would end. So a rotator never gets the last session: a proof
 * always gets one, and gives it back.
 */
export class SessionBudget {
  readonly #max: number;
  /** As few as a rotation needs, until it is known that the server has more. */
  #limit = MINIMUM;
  #rotators = 0;
  #proofs = 0;
  #waiting: Waiter[] = [];

  constructor(max: number) {
    this.#max = Math.max(MINIMUM, max);
  }

  get total(): number {
    return this.#rotators + this.#proofs;
  }

  /** Sets how many sessions are allowed from now on, between the minimum and the maximum. */
  allow(sessions: number): void {
    this.#limit = Math.min(Math.max(MINIMUM, sessions), this.#max);
    this.#next();
  }

  /** False if no session came free within `patience` milliseconds. Else give it back. */
  async take(use: Use, { patience, urgent }: { patience: number; urgent: boolean }): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<boolean>((resolve) => {
        const waiter: Waiter = { use, urgent, admit: () => resolve(true) };
        this.#waiting.push(waiter);
        this.#next();
        timer = setTimeout(() => {
          this.#waiting = this.#waiting.filter((other) => other !== waiter);
          resolve(false);
        }, patience);
      });
    } finally {
      clearTimeout(timer);
    }
  }

  give(use: Use): void {
    if (use === 'rotator') this.#rotators -= 1;
    else this.#proofs -= 1;
    this.#next();
  }

  /** Proofs go first, since runs wait for them; then urgent ones, then the first that asked. */
  #next(): void {
    for (;;) {
      const admitted = this.#waiting.filter(({ use }) => this.#admits(use));
      const next =
        admitted.find(({ use }) => use === 'proof') ?? admitted.find(({ urgent }) => urgent) ?? admitted[0];
      if (next === undefined) return;
      this.#waiting = this.#waiting.filter((other) => other !== next);
      if (next.use === 'rotator') this.#rotators += 1;
      else this.#proofs += 1;
      next.admit();
    }
  }

  #admits(use: Use): boolean {
    if (this.total >= this.#max) return false;
    // Proofs have no limit of their own. More rotators may be at work than are admitted now, and
    // wait for them.
    return use === 'proof' || this.#rotators < this.#limit - 1;
  }
}
