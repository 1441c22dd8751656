import type { Exposure } from './secret-store.ts';

/** What an exposure is in English, and what mends it. */
export function describeExposure({ path, mode, to, may }: Exposure): { text: string; remedy: string } {
  const whom = to === 'group' ? 'its group' : 'every user';
  const deed = may === 'write' ? 'written to' : 'looked into';
  const who = to === 'group' ? 'g' : 'o';
  const what = may === 'write' ? 'w' : 'rwx';
  return {
    text: `the folder ${path} may be ${deed} by ${whom} (mode ${mode.toString(8).padStart(4, '0')})`,
    remedy: `close it, unless that is meant: chmod ${who}-${what}`,
  };
}
