/**
 * Which of these secrets a text has: as it is, quoted or escaped in any way that leaves letters and digits alone (JSON,
 * SQL, URLs, and each within another), in base64 or in hex. Returns their place in the list and the form, never the
 * secret, so that a failing test does not print it.
 */
export function occurrences(text: string, secrets: readonly string[]): string[] {
  const lower = text.toLowerCase();
  return secrets.flatMap((secret, index) => {
    const forms = {
      plain: [secret, longestRun(secret)].some((form) => text.includes(form)),
      base64: base64Forms(secret).some((form) => text.includes(form)),
      hex: lower.includes(Buffer.from(secret).toString('hex')),
    };
    return Object.entries(forms).flatMap(([form, found]) => (found ? [`secret ${index} ${form}`] : []));
  });
}

/** The longest run of letters and digits, unless it is so short that it could be anything. */
function longestRun(secret: string): string {
  const runs = secret.match(/[a-z\d]+/gi) ?? [];
  const longest = runs.toSorted((one, other) => other.length - one.length)[0] ?? '';
  return longest.length >= 8 ? longest : secret;
}

/** What base64 makes of it wherever in a longer text it stands: three alignments, without what its neighbours change. */
function base64Forms(secret: string): string[] {
  return [0, 1, 2].flatMap((offset) => {
    const bytes = Buffer.concat([Buffer.alloc(offset), Buffer.from(secret)]);
    const whole = bytes.subarray(0, Math.floor(bytes.length / 3) * 3).toString('base64');
    const form = offset === 0 ? whole : whole.slice(4);
    return [form, form.replaceAll('+', '-').replaceAll('/', '_')];
  });
}
