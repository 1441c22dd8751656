import type { Inexpressible, LoginPart, WhyInexpressible } from '../facts/inexpressible.ts';

/** Why a format cannot hold a value; undefined: it can. */
export type Rule = (value: string) => WhyInexpressible | undefined;

/** The first part that breaks one of the rules. Parts without a value are left out. */
export function inexpressiblePart(
  parts: Readonly<Partial<Record<LoginPart, string | undefined>>>,
  rules: readonly Rule[],
): Inexpressible | undefined {
  // Object.entries gives strings; the keys are parts.
  for (const [part, value] of Object.entries(parts) as [LoginPart, string | undefined][]) {
    if (value === undefined) continue;
    for (const rule of rules) {
      const why = rule(value);
      if (why !== undefined) return { part, why };
    }
  }
  return undefined;
}

/** Unicode's separators of lines and paragraphs end a line for some readers. */
export const noControlCharacter: Rule = (value) =>
  /[\p{Cc}\p{Zl}\p{Zp}]/u.test(value) ? 'control-character' : undefined;

/**
 * What some reader calls a blank: any of Unicode's. libpq goes byte by byte, and in some locales
 * the bytes 85 and A0 are blanks, so a value may not end with them.
 */
export const noOuterBlank: Rule = (value) => {
  const last = Buffer.from(value).at(-1);
  const isCut = value !== value.trim() || last === 0x85 || last === 0xa0;
  return isCut ? 'outer-blank' : undefined;
};
