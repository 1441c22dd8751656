/** A DO block around PL/pgSQL. Its tag is one that does not occur in it: a name may hold whatever quotes are made of. */
export function anonymousBlock(body: string): string {
  let tag = '$keyturn$';
  while (body.includes(tag)) tag = `${tag.slice(0, -1)}_$`;
  return `DO ${tag} ${body} ${tag};`;
}
