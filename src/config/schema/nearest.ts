import leven from 'leven';

/** The known word that a misspelt one most likely means, if one is near. Case does not count. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  const ranked = [...known]
    .map((candidate) => ({ candidate, distance: distanceOf(word.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, distance }) => distance <= tolerance(word, candidate))
    .sort((a, b) => a.distance - b.distance);
  return ranked[0]?.candidate;
}

/** Edits from one word to the other. Two neighbouring letters that are swapped are one edit. */
function distanceOf(word: string, candidate: string): number {
  const swaps = [...word.slice(1)].map((_, at) => swapped(word, at));
  return Math.min(leven(word, candidate), ...swaps.map((each) => 1 + leven(each, candidate)));
}

function swapped(word: string, at: number): string {
  return `${word.slice(0, at)}${word[at + 1]}${word[at]}${word.slice(at + 2)}`;
}

/** One slip in a short word, one in three letters of a longer one. More would be a guess. */
function tolerance(word: string, candidate: string): number {
  return Math.max(1, Math.floor(Math.max(word.length, candidate.length) / 3));
}
