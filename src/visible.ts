/**
 * What a terminal acts on or does not show: control characters, line and paragraph separators,
 * bidirectional marks and other format characters, zero-width characters, and halves of surrogate
 * pairs.
 */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/gu;

/** Whether each character of a text can be seen as it is. */
export function isVisible(text: string): boolean {
  return text.search(INVISIBLE) < 0;
}

/** Replaces each character that cannot be seen, given its code point. */
export function replaceInvisible(text: string, replace: (codePoint: number) => string): string {
  return text.replace(INVISIBLE, (character) => replace(character.codePointAt(0) ?? 0));
}

/**
 * Text from outside as people may see it: what cannot be seen is written as an escape, for instance
 * `\u001b`.
 */
export function visible(text: string): string {
  return replaceInvisible(text, (codePoint) => {
    const digits = codePoint.toString(16);
    return digits.length > 4 ? `\\u{${digits}}` : `\\u${digits.padStart(4, '0')}`;
  });
}

/**
 * JSON that a terminal may show. It parses to the same value, because these characters only stand
 * in strings.
 */
export function visibleJson(json: string): string {
  return replaceInvisible(json, (codePoint) => {
    // The layout of the JSON is our own.
    if (codePoint === 0x0a) return '\n';
    return [...Array(codePoint > 0xffff ? 2 : 1).keys()]
      .map((index) => String.fromCodePoint(codePoint).charCodeAt(index).toString(16).padStart(4, '0'))
      .map((digits) => `\\u${digits}`)
      .join('');
  });
}

/**
 * A name that a stranger chose, such as that of an application, within a sentence of ours: in
 * quotes where it could pass for more than a name.
 */
export function strangersName(name: string): string {
  return /[;"'\\]|\brun:/i.test(name) ? JSON.stringify(name) : name;
}

/**
 * A message from outside within one of ours: in quotes where it could pass for a remedy, of which
 * `run:` is the mark.
 */
export function strangersMessage(message: string): string {
  return /\brun:/i.test(message) ? JSON.stringify(message) : message;
}
