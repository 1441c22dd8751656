import { nearest } from '../schema/nearest.ts';

/** Whether this is an IANA time zone or an alias. An offset such as `+02:00` has no summer time. */
export function isTimeZone(name: string): boolean {
  if (known.has(name)) return true;
  if (!/^[A-Za-z]/.test(name)) return false;
  if (!isListed(name) && !isAlias(name)) return false;
  known.add(name);
  return true;
}

/** Asking takes long, and ten thousand policies name the same few. */
const known = new Set(['UTC']);

function isListed(name: string): boolean {
  return Intl.supportedValuesOf('timeZone').includes(name);
}

/** Making a format takes ten times as long as the list, but knows aliases and every case. */
function isAlias(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** The time zone that a misspelt name most likely means. */
export function nearestTimeZone(name: string): string | undefined {
  return nearest(name, ['UTC', ...Intl.supportedValuesOf('timeZone')]);
}
