/** What somebody who reads a violation needs to know. */
export interface Violation {
  readonly guarantee: string;
  readonly policy: string;
  /** The rotation, as far as it is known. */
  readonly rotation?: string | undefined;
  readonly seen: string;
}

/** What a soak has counted. */
export interface Tally {
  readonly faults: Map<string, number>;
  logins: number;
  /** How often both logins of a policy were looked at. */
  looks: number;
  readonly violations: string[];
  /** The policies that had any. */
  readonly violated: Set<string>;
  fault(kind: string): void;
  violation(violation: Violation): void;
  /** Tells what is done and seen, where `--verbose` asks for it. */
  note(text: string): void;
}

export function openTally({ verbose }: { readonly verbose: boolean }): Tally {
  const violations: string[] = [];
  const violated = new Set<string>();
  const faults = new Map<string, number>();
  const say = (text: string) => process.stdout.write(`${new Date().toISOString()} ${text}\n`);
  return {
    faults,
    logins: 0,
    looks: 0,
    violations,
    violated,
    fault(kind) {
      faults.set(kind, (faults.get(kind) ?? 0) + 1);
    },
    violation({ guarantee, policy, rotation, seen }) {
      const text = `${guarantee}: ${policy}, rotation ${rotation ?? 'unknown'}: ${seen}`;
      // What lasts is seen again and again.
      if (violations.includes(text)) return;
      violations.push(text);
      violated.add(policy);
      say(`violation: ${text}`);
    },
    note(text) {
      if (verbose) say(text);
    },
  };
}

/** `kill 3, hand 2`, the most frequent first. */
export function describeFaults(faults: ReadonlyMap<string, number>): string {
  const kinds = [...faults].toSorted(([, one], [, other]) => other - one);
  return kinds.map(([kind, count]) => `${kind} ${count}`).join(', ');
}
