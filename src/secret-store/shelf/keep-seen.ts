import { randomUUID } from 'node:crypto';
import { systemClock } from '../../clock.ts';
import type { Look } from './looking.ts';
import { shownFields } from './seen-token.ts';
import { type Shelf, versionOf, withVersion } from './shelf.ts';

/**
 * The shelf with what consumers see as `current`: the version `seen`, or where that is undefined
 * what somebody wrote by hand, which gets a version. Undefined where it is so already.
 */
export function keepSeen({ unit, shown, shelf }: Look, seen: string | undefined): Shelf | undefined {
  if (seen !== undefined) return shelf.current === seen ? undefined : { ...shelf, current: seen };
  const { current, ...rest } = shelf;
  const fields = shownFields(unit, shown);
  if (Object.keys(fields).length === 0) return current === undefined ? undefined : rest;
  const byHand = randomUUID();
  const version = versionOf(unit, fields, new Date(systemClock.now()));
  return withVersion({ ...rest, current: byHand }, byHand, version);
}
