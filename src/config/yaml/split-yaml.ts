/** A part of a YAML file that can be parsed by itself. */
export interface YamlPart {
  readonly text: string;
  /** How many lines of the file come before the part's first line, less the part's own header. */
  readonly linesBefore: number;
}

/** A file that is shorter is parsed whole, in characters. */
const LONG = 64 * 1024;
/**
 * How long a part is, about, in characters. The parser's trees are a hundred times as large, and
 * those of a short part are gone before the garbage collector moves them to where it seldom looks.
 */
const PART = 8 * 1024;

/** A top-level key whose entries may be spread over parts, as they may be over files. */
const SECTION = /^(connections|stores|policies):[ \t]*(#.*)?$/;
const TOP_KEY = /^([A-Za-z][A-Za-z0-9_-]*):([ \t]|$)/;
const ENTRY = /^ +[A-Za-z0-9][A-Za-z0-9_-]*:([ \t]|$)/;
/** Blank, or a comment. */
const EMPTY = /^[ \t]*(#|$)/;
/** An anchor or an alias may concern the rest of the file. */
const REFERENCE = /(^|[\s[{,:-])[&*][^\s]/m;

/**
 * Splits a long file between entries of its sections, so that only a part of it is parsed at a time
 * and little memory is needed. A part of a section begins with the section's key. Undefined where
 * the file is short, or is not written in the plain style in which it is clear where entries begin.
 */
export function splitYaml(text: string): readonly YamlPart[] | undefined {
  if (text.length < LONG || REFERENCE.test(text)) return undefined;
  const lines = text.split('\n');
  const starts = entryLines(lines);
  if (starts === undefined) return undefined;
  const parts: YamlPart[] = [];
  let from = 0;
  let header = '';
  let length = 0;
  const close = (to: number) => {
    const own = lines.slice(from, to).join('\n');
    parts.push({ text: `${header}${own}\n`, linesBefore: header === '' ? from : from - 1 });
  };
  for (const [index, line] of lines.entries()) {
    const section = starts.get(index);
    if (section !== undefined && length >= PART) {
      close(index);
      [from, header, length] = [index, `${section}:\n`, 0];
    }
    length += line.length + 1;
  }
  close(lines.length);
  return parts;
}

/**
 * The lines at which an entry of a section begins, and the section. What an entry contains is
 * indented further than its name, in every style of YAML. Undefined where the file is written in a
 * way that leaves a doubt.
 */
function entryLines(lines: readonly string[]): ReadonlyMap<number, string> | undefined {
  const starts = new Map<number, string>();
  const seen = new Set<string>();
  let section: string | undefined;
  let indent: number | undefined;
  for (const [index, written] of lines.entries()) {
    const line = written.endsWith('\r') ? written.slice(0, -1) : written;
    if (EMPTY.test(line)) continue;
    const depth = line.search(/[^ ]/);
    if (depth === 0) {
      const key = TOP_KEY.exec(line)?.[1];
      if (key === undefined || seen.has(key)) return undefined;
      seen.add(key);
      section = SECTION.exec(line)?.[1];
      indent = undefined;
    } else if (section !== undefined) {
      indent ??= depth;
      if (depth < indent) return undefined;
      if (depth > indent) continue;
      if (!ENTRY.test(line)) return undefined;
      starts.set(index, section);
    }
  }
  return starts;
}
