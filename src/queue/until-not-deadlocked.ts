// https://www.postgresql.org/docs/current/errcodes-appendix.html
const DEADLOCK_DETECTED = '40P01';

/**
 * Acts again as long as PostgreSQL breaks a deadlock by refusing this side of it. BullMQ's functions there lock
 * several rows each, so two workers that make the same scheduler can meet; nothing of a refused call remains, and of
 * those that meet one always gets through, so this ends.
 */
export async function untilNotDeadlocked<Result>(act: () => Promise<Result>): Promise<Result> {
  for (;;) {
    try {
      return await act();
    } catch (error) {
      if ((error as { code?: unknown }).code !== DEADLOCK_DETECTED) throw error;
    }
  }
}
