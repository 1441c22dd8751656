import { describe, expect, test } from 'vitest';
import { type Fact, fact } from '../../src/facts/fact.ts';
import { followClock, isWrong, refuseWrongClock, skewFact } from '../../src/ledger/state-clock.ts';
import { tell } from '../../src/messages/tell.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const TRUE = Date.parse('2027-03-01T12:00:00Z');

/** A machine and a state database, each with a clock that a test may set. An answer takes `latency`. */
function world({ wall = 0, latency = 0 } = {}) {
  let elapsed = 0;
  let asleep = 0;
  const said: Fact[] = [];
  const set = { wall, database: 0, latency, asked: 0 };
  const clock = followClock(
    {
      async ask() {
        set.asked += 1;
        elapsed += set.latency / 2;
        const answer = TRUE + elapsed + set.database;
        elapsed += set.latency / 2;
        return answer;
      },
      tell: (fact) => void said.push(fact),
    },
    { wall: () => TRUE + elapsed + set.wall, monotonic: () => 77 + elapsed - asleep },
  );
  return Object.assign(set, {
    clock,
    said,
    pass(milliseconds: number) {
      elapsed += milliseconds;
    },
    /** Time passes, which the monotonic clock does not count. */
    sleep(milliseconds: number) {
      elapsed += milliseconds;
      asleep += milliseconds;
    },
    true: () => TRUE + elapsed,
  });
}

describe('the clock that follows the state database', () => {
  test("counts by the database's clock, however wrong the machine's is, from the middle of a round trip on", async () => {
    const it = world({ wall: 400 * 24 * 60 * MINUTE, latency: 80 });
    await it.clock.follow();
    expect(it.clock.now()).toBe(it.true());
    it.pass(1_234);
    expect(it.clock.now()).toBe(it.true());
  });

  test('is not moved by a wall clock that somebody sets, and measures anew then (G2)', async () => {
    const it = world();
    await it.clock.follow();
    it.pass(10 * SECOND);
    await it.clock.follow();
    expect(it.asked).toBe(1);
    it.wall = 60 * MINUTE;
    expect(it.clock.now()).toBe(it.true());
    await it.clock.follow();
    expect(it.asked).toBe(2);
    expect(isWrong(it.clock)).toBe(true);
    it.wall = 0;
    await it.clock.follow();
    expect(isWrong(it.clock)).toBe(false);
  });

  test('is behind and never ahead after the machine slept, until it is measured anew (G2)', async () => {
    const it = world();
    await it.clock.follow();
    it.sleep(30 * MINUTE);
    expect(it.clock.now()).toBeLessThan(it.true());
    await it.clock.follow();
    expect(it.clock.now()).toBe(it.true());
    expect(it.said).toEqual([]);
  });

  test('measures again after a minute, and takes the quickest of several slow answers', async () => {
    const it = world();
    await it.clock.follow();
    it.pass(61 * SECOND);
    it.latency = 4 * SECOND;
    await it.clock.follow();
    expect(it.asked).toBe(6);
  });

  test('asks once for all who want to know at the same time', async () => {
    const it = world();
    await Promise.all([it.clock.follow(), it.clock.follow(), it.clock.follow()]);
    expect(it.asked).toBe(1);
  });

  test.each([
    ['ahead of', 29, 0, false],
    ['ahead of', 31, 1, false],
    ['behind', -31, 1, false],
    ['ahead of', 301, 1, true],
    ['behind', -301, 1, true],
  ] as const)(
    'a machine %s it by %s s: said %i times, opens nothing: %s',
    async (_, seconds, times, refused) => {
      const it = world({ wall: seconds * SECOND });
      await it.clock.follow();
      it.pass(61 * SECOND);
      await it.clock.follow();
      const said = fact('clock-differs', { ahead: seconds * SECOND, refuses: refused });
      expect(it.said).toEqual(Array(times).fill(said));
      const refusing = () => refuseWrongClock(it.clock);
      if (!refused) return expect(refusing).not.toThrow();
      expect(refusing).toThrow(
        expect.objectContaining({ fact: expect.objectContaining({ code: 'clock-wrong' }) }),
      );
    },
  );

  test('is told again when it comes back, and names what to set', async () => {
    const it = world({ wall: MINUTE });
    for (const wall of [MINUTE, 0, MINUTE]) {
      it.wall = wall;
      await it.clock.follow();
    }
    expect(it.said).toHaveLength(2);
    expect(tell(skewFact(MINUTE))).toBe(
      "the clock of this machine is 60 s ahead of the state database's, by which slots, graces and deadlines are counted; set the one that is wrong (NTP)",
    );
  });
});
