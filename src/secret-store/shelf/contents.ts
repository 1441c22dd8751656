import { writeContent } from '../secret-content.ts';
import type { Fields } from '../secret-store.ts';
import type { Content, Contents, Shown } from './backend.ts';
import type { ShelfVersion } from './shelf.ts';

/** What consumers are to read of a version. Keys that it does not have stay as they are now. */
export function contentsOf({ secrets }: ShelfVersion, shown: Shown | undefined): Contents {
  return new Map(
    Object.entries(secrets).map(([secret, items]): [string, Content] => {
      const fields: Fields = Object.fromEntries(items.map(({ field, value }) => [field, value]));
      const entries = items.map(({ field, key }) => ({ field, key }));
      const keyed = entries.some(({ key }) => key !== undefined);
      const text = writeContent(secret, entries, fields, shown?.contentOf(secret, keyed));
      return [secret, { text, keyed }];
    }),
  );
}
