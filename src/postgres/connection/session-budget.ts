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

/** What one rotation needs of each use. */
export const MINIMUM = 1;

/**
 * Limits the sessions of one server: so many of the rotator, and as many that prove a login. Those
 * that would be too many wait.
 *
 * A run holds the rotator's session and then needs a proof. Each use has sessions of its own, so
 * that not all runs wait for a proof and none ends: a proof always gets one, and gives it back.
 */
export class SessionBudget {
  readonly #max: number;
  /** As few as a rotation needs, until it is known that the server has more. */
  #limit = MINIMUM;
  readonly #used: Record<Use, number> = { rotator: 0, proof: 0 };
  #waiting: Waiter[] = [];

  constructor(max: number) {
    this.#max = Math.max(MINIMUM, max);
  }

  get rotators(): number {
    return this.#used.rotator;
  }

  /** Sets how many of each use are allowed from now on, between the minimum and the maximum. */
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
    this.#used[use] -= 1;
    this.#next();
  }

  /** Urgent ones go first, then the first that asked. */
  #next(): void {
    for (;;) {
      const admitted = this.#waiting.filter(({ use }) => this.#used[use] < this.#limit);
      const next = admitted.find(({ urgent }) => urgent) ?? admitted[0];
      if (next === undefined) return;
      this.#waiting = this.#waiting.filter((other) => other !== next);
      this.#used[next.use] += 1;
      next.admit();
    }
  }
}
