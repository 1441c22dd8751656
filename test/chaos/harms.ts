/** What the harness itself did to the login that a policy publishes. keyturn has to mend it, or to be loud. */
export interface Harm {
  readonly policy: string;
  readonly what: string;
  /** The login that was harmed. */
  readonly user: string;
  /** The version, and so the rotation, that was published then. */
  readonly version: string;
  /** When it was begun; milliseconds since the epoch. */
  readonly since: number;
  /** When it took effect, by the server's clock; undefined while it is on its way. */
  committedAt: number | undefined;
  /** When the other login was last seen to let in who knows its password. */
  otherWorkedAt: number | undefined;
  /** Whether the harness left no login that works, or the other one was given up for a good reason. */
  isAlone: boolean;
  /** When the ledger first said that something is wrong. */
  loudAt: number | undefined;
  /** When what is published was seen to log in again. */
  healedAt: number | undefined;
  /** Whether the harness took it back in the end. */
  undone: boolean;
}

/** The harms of a soak, one of a policy at a time. */
export class Harms {
  readonly all: Harm[] = [];

  begin(harm: Pick<Harm, 'policy' | 'what' | 'user' | 'version'> & Partial<Harm>): Harm {
    const begun: Harm = {
      since: Date.now(),
      committedAt: undefined,
      otherWorkedAt: undefined,
      isAlone: false,
      loudAt: undefined,
      healedAt: undefined,
      undone: false,
      ...harm,
    };
    this.all.push(begun);
    return begun;
  }

  /** Takes back one that did not come about. */
  forget(harm: Harm): void {
    this.all.splice(this.all.indexOf(harm), 1);
  }

  open(): Harm[] {
    return this.all.filter(({ healedAt }) => healedAt === undefined);
  }

  of(policy: string): Harm | undefined {
    return this.open().find((harm) => harm.policy === policy);
  }

  /** Whether a policy was harmed at any instant since. */
  touched(policy: string, since: number): boolean {
    return this.all.some(
      (harm) => harm.policy === policy && (harm.healedAt === undefined || harm.healedAt >= since),
    );
  }
}
