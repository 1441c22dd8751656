import type { Clock } from '../clock.ts';

/**
 * BullMQ counts by the wall clock of the machine that it runs on, on both backends; keyturn counts
 * by the state database's. Instants are translated where they enter the queue and where they leave
 * it. Without a clock both are one. They are whole milliseconds: BullMQ on PostgreSQL keeps them as
 * bigint, and refuses others.
 */
export function toQueueTime(instant: number, clock: Clock | undefined): number {
  return Math.ceil(clock ? instant + Date.now() - clock.now() : instant);
}

export function fromQueueTime(instant: number, clock: Clock | undefined): number {
  return clock ? Math.floor(instant - Date.now() + clock.now()) : instant;
}
