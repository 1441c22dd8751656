import type { Fact } from '../facts/fact.ts';

// TODO: goes when the findings of doctor are facts: until then they are made of text and remedy.
/** What an exposure is in English, and what mends it. */
export function describeExposure({ params: { path, mode, to, may } }: Fact<'folder-exposed'>): {
  text: string;
  remedy: string;
} {
  const whom = to === 'group' ? 'its group' : 'every user';
  const deed = may === 'write' ? 'written to' : 'looked into';
  const who = to === 'group' ? 'g' : 'o';
  const what = may === 'write' ? 'w' : 'rwx';
  return {
    text: `the folder ${path} may be ${deed} by ${whom} (mode ${mode})`,
    remedy: `close it, unless that is meant: chmod ${who}-${what}`,
  };
}
