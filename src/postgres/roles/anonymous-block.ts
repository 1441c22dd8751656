/**
 * A DO block around PL/pgSQL, with a tag that does not occur in it. A name in it may hold any
 * quotes.
 */
export function anonymousBlock(body: string): string {
  let tag = '$keyturn$';
  while (body.includes(tag)) tag = `${tag.slice(0, -1)}_$`;
  return `DO ${tag} ${body} ${tag};`;
}
