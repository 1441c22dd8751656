/** `rotator`: it may wait for others while it is held. `proof`: it ends by itself, and waits for nobody. */
export type Use = 'rotator' | 'proof';

interface Waiter {
  readonly use: Use;
  readonly urgent: boolean;
  readonly admit: () => void;
}

/** What a rotation needs at once: the rotator's session, and one of the login that is proven. */
export const MINIMUM = 2;

/**
 * Counts the sessions of one server, and makes those wait that would be too many.
 *
 * A run holds the rotator's session and then needs a proof. If all sessions were rotators', all runs would wait for a
 * proof, and none would end. So the last session is never a rotator's: a proof always gets one, and gives it back.
 */
export class SessionBudget {
  readonly #max: number;
  /** As few as a rotation needs, until it is known that the server has more to give. */
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

  /** Allows so many sessions from now on, within the bounds. */
  allow(sessions: number): void {
    this.#limit = Math.min(Math.max(MINIMUM, sessions), this.#max);
    this.#next();
  }

  /** Resolves to false where no session came free for so many milliseconds. Else it is to be given back. */
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

  /** Proofs go first, since runs under way wait for them; then what is urgent, then whoever came first. */
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
    // A proof is never restricted: more rotators may be at work than are admitted now, and they wait for it.
    return use === 'proof' || this.#rotators < this.#limit - 1;
  }
}
