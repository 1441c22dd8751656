/**
 * Characters that a terminal acts on or does not show: control characters, line and paragraph
 * separators, bidirectional marks and other format characters, zero-width characters, and halves of
 * surrogate pairs.
 */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}]/gu;

/** Whether all characters of a text are visible. */
export function isVisible(text: string): boolean {
  return text.search(INVISIBLE) < 0;
}

/** Replaces each invisible character by what `replace` makes of its code point. */
export function replaceInvisible(text: string, replace: (codePoint: number) => string): string {
  return text.replace(INVISIBLE, (character) => replace(character.codePointAt(0) ?? 0));
}

/**
 * Text from outside, safe to show to people: invisible characters become escapes such as `\u001b`.
 */
export function visible(text: string): string {
  return replaceInvisible(text, (codePoint) => {
    const digits = codePoint.toString(16);
    return digits.length > 4 ? `\\u{${digits}}` : `\\u${digits.padStart(4, '0')}`;
  });
}

/**
 * JSON that is safe to show in a terminal. It parses to the same value, because invisible
 * characters occur only in its strings.
 */
export function visibleJson(json: string): string {
  return replaceInvisible(json, (codePoint) => {
    // Line breaks outside of strings are the layout of the JSON.
    if (codePoint === 0x0a) return '\n';
    return [...Array(codePoint > 0xffff ? 2 : 1).keys()]
      .map((index) => String.fromCodePoint(codePoint).charCodeAt(index).toString(16).padStart(4, '0'))
      .map((digits) => `\\u${digits}`)
      .join('');
  });
}

/**
 * A name that others chose, such as that of an application, for use in a sentence of ours. It is
 * put in quotes if it could be taken for more than a name.
 */
export function strangersName(name: string): string {
  return /[;"'\\]|\brun:/i.test(name) ? JSON.stringify(name) : name;
}

/**
 * A message from outside, for use in a message of ours. It is put in quotes if it could be taken
 * for a remedy, which begins with `run:`.
 */
export function strangersMessage(message: string): string {
  return /\brun:/i.test(message) ? JSON.stringify(message) : message;
}
